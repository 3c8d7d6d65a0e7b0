"""Ways to bring review runs to workers."""

"""Ways to keep what was read."""

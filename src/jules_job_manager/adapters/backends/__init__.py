"""Ways to reach Jules."""

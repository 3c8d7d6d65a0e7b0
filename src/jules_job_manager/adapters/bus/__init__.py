"""Ways to carry hints."""

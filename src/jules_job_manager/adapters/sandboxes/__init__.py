"""Ways to run commands on hostile code."""

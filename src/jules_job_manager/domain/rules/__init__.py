"""The built-in rules: what a delivery is judged by without running any of it."""

"""What runs checks."""

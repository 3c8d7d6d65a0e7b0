"""Programs of the user's that take part in decisions."""

"""Tasks as text, read as fast as each database allows."""

"""The newest migration, in a module that costs nothing to import."""

HEAD = "0009"
"""A test holds it equal to what Alembic says."""

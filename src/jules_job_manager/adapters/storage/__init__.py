"""Stores: JSON file, SQLite, PostgreSQL."""

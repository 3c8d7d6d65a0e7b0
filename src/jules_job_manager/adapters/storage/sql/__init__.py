"""One schema on SQLite and PostgreSQL, with SQLAlchemy Core."""

"""One module a migration, append-only."""

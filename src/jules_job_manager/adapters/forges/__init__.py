"""Places where git branches live and merge."""

"""Scanners for what is dangerous in changed files. They need the extra `scan`."""

"""Repositories on GitHub: git as everywhere, merging through pull requests."""

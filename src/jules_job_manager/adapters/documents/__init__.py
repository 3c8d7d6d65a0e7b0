"""Backlog document formats."""

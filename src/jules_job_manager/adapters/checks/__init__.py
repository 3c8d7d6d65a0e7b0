"""Runners of check commands."""

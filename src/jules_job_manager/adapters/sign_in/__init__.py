"""Providers where people prove who they are."""

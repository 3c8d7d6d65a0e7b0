"""Talking to a service: the typed client of its API, and an application made of it."""

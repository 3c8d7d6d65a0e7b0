"""Roles that the services need filled: Protocols, one role a file."""

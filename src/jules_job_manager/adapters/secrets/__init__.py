"""Places where secrets are kept."""

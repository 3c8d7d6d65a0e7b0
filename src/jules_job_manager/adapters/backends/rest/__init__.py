"""The Jules REST API, v1alpha."""

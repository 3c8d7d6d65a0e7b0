"""Ways to ask reviewers."""

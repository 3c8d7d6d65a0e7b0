"""Deliveries with a known verdict: what the built-in rules are measured by."""

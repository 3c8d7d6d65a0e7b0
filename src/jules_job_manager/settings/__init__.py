"""Settings: flag > environment > file > default, each value knowing where it came from.

This module imports nothing, so that commands which must be instant can use `settings.locate`.
"""

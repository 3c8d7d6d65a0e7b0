"""What every test shares."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The first draw of a fresh checkout builds tables and is slow; that says nothing about our code.
settings.register_profile("jjm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("jjm")

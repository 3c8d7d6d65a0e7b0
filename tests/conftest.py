"""What every test shares."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests import warm_program

# The first draw of a fresh checkout builds tables and is slow; that says nothing about our code.
settings.register_profile("jjm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("jjm")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are cores: some tests wait for a program or a time limit."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def _warm_program_ends():
    """End the process that commands were forked from, if any were, while coverage still counts."""
    yield
    warm_program.close()

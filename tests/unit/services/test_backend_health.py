"""Whether Jules answers, mostly from calls that are made anyway."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.clocks import FakeClock

from jules_job_manager.domain.health import HealthStatus
from jules_job_manager.errors import (
    AuthenticationError,
    BackendConnectionError,
    CircuitOpenError,
    InvalidInputError,
    QuotaExceededError,
)
from jules_job_manager.ports.call_watcher import Call
from jules_job_manager.services.backend_health import BackendHealth

CALL = Call(account="default", operation="list_tasks")


class Jules:
    """Asked through the watcher, as a watched backend is."""

    def __init__(self, health: BackendHealth) -> None:
        self.health = health
        self.asked = 0
        self.error: Exception | None = None

    async def ask(self) -> None:
        self.asked += 1
        with self.health.watching(CALL):
            if self.error is not None:
                raise self.error


@pytest.fixture
def world():
    clock = FakeClock()
    health = BackendHealth(clock=clock, every=timedelta(minutes=5))
    return clock, health, Jules(health)


async def test_it_is_asked_only_when_no_call_was_made_for_long(world):
    """Somebody else's call is proof enough."""
    clock, health, jules = world
    for _ in range(20):
        assert HealthStatus.HEALTHY is (await health.look("default", jules.ask)).status
        clock.advance(30)
    assert 2 == jules.asked
    with health.watching(CALL):
        pass
    clock.advance(200)
    await health.look("default", jules.ask)
    assert 2 == jules.asked


async def test_while_it_is_away_it_is_asked_each_time(world):
    """So that its return is seen soon; since when it is away stays known."""
    clock, health, jules = world
    jules.error = BackendConnectionError("No route.")
    began = clock.now()
    for expected in (1, 2, 3):
        with pytest.raises(BackendConnectionError):
            await health.look("default", jules.ask)
        assert expected == jules.asked
        clock.advance(30)
    assert {"default": began} == health.away_since()
    jules.error = None
    assert "Jules answers." == (await health.look("default", jules.ask)).message
    assert {} == health.away_since()


async def test_a_refusal_is_an_answer(world):
    """Only silence and refused credentials are trouble."""
    _, health, jules = world
    jules.error = InvalidInputError()
    with pytest.raises(InvalidInputError):
        await jules.ask()
    assert HealthStatus.HEALTHY is (await health.look("default", jules.ask)).status
    assert 1 == jules.asked


async def test_a_rate_limit_is_an_answer(world):
    """It is there, and asks for patience."""
    _, health, jules = world
    jules.error = QuotaExceededError()
    assert "less often" in (await health.look("default", jules.ask)).message


async def test_refused_credentials_are_trouble(world):
    """Nothing works without them."""
    _, health, jules = world
    jules.error = AuthenticationError()
    with pytest.raises(AuthenticationError):
        await health.look("default", jules.ask)
    assert {"default"} == set(health.away_since())


async def test_an_open_circuit_is_trouble(world):
    """The account is left alone because it did not answer."""
    _, health, jules = world
    jules.error = CircuitOpenError()
    with pytest.raises(CircuitOpenError):
        await jules.ask()
    assert {"default"} == set(health.away_since())

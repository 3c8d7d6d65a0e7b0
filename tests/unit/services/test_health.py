"""Checks in the background: an answer never waits, whatever a check does."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from tests.clocks import HeldClock

from jules_job_manager.domain.health import Damping, Found, HealthStatus
from jules_job_manager.errors import StoreUnavailableError
from jules_job_manager.services.health import Health, HealthCheck

HEALTHY, DEGRADED, UNHEALTHY = HealthStatus


class Thing:
    """What is looked at: it answers, fails or hangs, as it is told."""

    def __init__(self) -> None:
        self.looks = 0
        self.error: Exception | None = None
        self.hangs: asyncio.Event | None = None
        self.is_deaf = False

    async def probe(self) -> Found:
        self.looks += 1
        if self.hangs is not None:
            while not self.hangs.is_set():
                with contextlib.suppress(asyncio.CancelledError if self.is_deaf else ()):
                    await self.hangs.wait()
        if self.error is not None:
            raise self.error
        return Found(message="There.")


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
async def begin(clock):
    """Return a function that runs checks in the background until the test ends."""
    running = []

    async def start(*checks, **options) -> Health:
        health = Health(clock=clock, checks=checks, **options)
        running.append(asyncio.ensure_future(health.run()))
        await clock.settle()
        return health

    yield start
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_check_is_looked_at_every_30_seconds(clock, begin):
    """And its age is told."""
    thing = Thing()
    health = await begin(HealthCheck(name="thing", probe=thing.probe))
    await clock.pass_time(95)
    assert 4 == thing.looks
    (state,) = health.report().checks.values()
    assert (HEALTHY, "There.", 5) == (state.status, state.message, state.age.total_seconds())
    assert 95 == health.report().uptime.total_seconds()


async def test_one_that_hangs_delays_nobody(clock, begin):
    """The other goes on, and after the time limit the one that hangs is unhealthy."""
    slow, quick = Thing(), Thing()
    slow.hangs = asyncio.Event()
    health = await begin(
        HealthCheck(name="slow", probe=slow.probe), HealthCheck(name="quick", probe=quick.probe)
    )
    states = health.report().checks
    assert (DEGRADED, None, HEALTHY) == (
        states["slow"].status, states["slow"].age, states["quick"].status,
    )  # fmt: skip
    await clock.pass_time(10)
    state = health.report().checks["slow"]
    assert (UNHEALTHY, "No answer within 10 s.", 10) == (
        state.status, state.message, state.latency.total_seconds(),
    )  # fmt: skip
    assert not health.report().is_ready
    slow.hangs.set()
    await clock.pass_time(80)
    assert HEALTHY is health.report().checks["slow"].status


async def test_one_that_does_not_heed_its_end_is_not_begun_again(clock, begin):
    """A hung file system must not be asked by more and more looks."""
    thing = Thing()
    thing.hangs, thing.is_deaf = asyncio.Event(), True
    health = await begin(HealthCheck(name="thing", probe=thing.probe))
    await clock.pass_time(200)
    assert 1 == thing.looks
    assert "An earlier look still hangs." == health.report().checks["thing"].message
    thing.hangs.set()
    await clock.pass_time(80)
    assert HEALTHY is health.report().checks["thing"].status


async def test_errors_are_results(clock, begin, caplog):
    """Ours in their words without secrets, others by kind alone."""
    thing = Thing()
    thing.error = StoreUnavailableError("postgresql://jjm:hunter2@db is away\x1b[31m.")
    health = await begin(HealthCheck(name="thing", probe=thing.probe))
    assert "postgresql://********@db is away\\x1b[31m." == health.report().checks["thing"].message
    thing.error = RuntimeError("hunter2")
    await clock.pass_time(30)
    assert "The check itself failed (RuntimeError)." == health.report().checks["thing"].message
    assert "thing is unhealthy" in caplog.text


async def test_a_blip_is_not_shown_and_a_failure_is(clock, begin):
    """Two looks in a row must agree."""
    thing = Thing()
    health = await begin(
        HealthCheck(name="thing", probe=thing.probe), damping=Damping(to_worsen=2, to_recover=2)
    )
    thing.error = StoreUnavailableError()
    await clock.pass_time(30)
    assert health.report().is_ready
    thing.error = None
    await clock.pass_time(30)
    thing.error = StoreUnavailableError()
    await clock.pass_time(30)
    assert health.report().is_ready
    await clock.pass_time(30)
    assert not health.report().is_ready


async def test_when_nobody_looks_any_more_that_is_told(clock):
    """An old result is none."""
    health = Health(clock=clock, checks=[HealthCheck(name="thing", probe=Thing().probe)])
    await health.check_all()
    assert health.report().is_ready
    await clock.pass_time(101)
    state = health.report().checks["thing"]
    assert (UNHEALTHY, "Not looked at for 101 s.") == (state.status, state.message)


async def test_a_check_may_have_a_time_limit_of_its_own(clock, begin):
    """Jules is given longer than the disk."""
    thing = Thing()
    thing.hangs = asyncio.Event()
    health = await begin(
        HealthCheck(name="thing", probe=thing.probe, time_limit=timedelta(seconds=60))
    )
    await clock.pass_time(59)
    assert health.report().checks["thing"].age is None
    await clock.pass_time(1)
    assert "No answer within 60 s." == health.report().checks["thing"].message

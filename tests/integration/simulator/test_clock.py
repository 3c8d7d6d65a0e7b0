"""Simulated days: the clock is whoever's who opens the simulator."""

from __future__ import annotations

import asyncio
import time

import pytest

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.clock import SimulatedClock
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from
from jules_job_manager.domain.task import NewTask, TaskStatus
from jules_job_manager.errors import PreconditionFailedError, QuotaExceededError

DAY = 86_400
QUOTA = {"tasks_per_day": 100, "concurrent": 15}


@pytest.mark.slow
async def test_a_day_passes_in_seconds():
    """A day on the Pro plan, looked at every five minutes, with every refusal counted."""
    clock = SimulatedClock()
    simulator = Simulator.open(
        None, scenario=scenario_from({"quota": QUOTA, "timing": {"step": 900}}), seed=1, speed=1,
        repositories={}, clock=clock,
    )  # fmt: skip
    backend = open_rest_backend(
        base_url="http://127.0.0.1/v1alpha", api_key="k", timeout_seconds=20, max_tries=1,
        clock=clock, transport=in_process_transport(simulator),
    )  # fmt: skip
    began, most = time.monotonic(), 0
    while clock.monotonic_seconds() < DAY:
        tasks = await backend.list_tasks()
        most = max(most, sum(task.status is not TaskStatus.COMPLETED for task in tasks))
        try:
            while True:
                await backend.create_task(NewTask(description="x"))
        except (PreconditionFailedError, QuotaExceededError):
            await clock.sleep(300)
    stats = simulator.stats()
    await backend.aclose()
    simulator.close()
    assert (100, 15) == (stats["sessions_created"], most)
    assert 288 == sum(stats["refusals"].values())
    assert {"400 FAILED_PRECONDITION", "429 RESOURCE_EXHAUSTED"} == set(stats["refusals"])
    assert time.monotonic() - began < 30


async def test_speed_and_the_clock_that_is_passed_in(talk):
    """Timestamps are the clock's; nothing happens before its time has come."""
    service = talk()
    path = await service.create(on="")
    assert (await service.get(path))["createTime"].startswith("2026-01-01T00:00:00.")
    service.clock.advance(4.9)
    assert "QUEUED" == (await service.get(path))["state"]
    service.clock.advance(0.1)
    assert "PLANNING" == (await service.get(path))["state"]


async def test_sleepers_wake_in_order():
    """Of several that sleep the earliest wakes first, and no hour is skipped."""
    clock, woken = SimulatedClock(), []

    async def sleep_often(name, seconds, times):
        for _ in range(times):
            await clock.sleep(seconds)
            woken.append((clock.monotonic_seconds(), name))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleep_often("slow", 60, 2))
        group.create_task(sleep_often("quick", 25, 5))
    assert sorted(woken) == woken
    assert [(25, "quick"), (50, "quick"), (60, "slow"), (75, "quick")] == woken[:4]
    assert (125, "quick") == woken[-1]


def test_time_does_not_run_backwards():
    """Advancing by less than nothing is refused."""
    with pytest.raises(ValueError, match="backwards"):
        SimulatedClock().advance(-1)

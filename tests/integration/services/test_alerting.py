"""Alerts from the event log of a real store, told to people at once."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from tests.clocks import FakeClock

from jules_job_manager.domain.alerts import AlertPolicy
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.news import DigestPolicy
from jules_job_manager.services.alerting import Alerts
from jules_job_manager.services.notifying import Notifications

pytestmark = pytest.mark.integration


class World:
    """A store in which jobs fail, and a Jules that may be away."""

    def __init__(self, store) -> None:
        self.store, self.clock, self.away = store, FakeClock(), {}
        self.sent: list[tuple[str, str]] = []

    def alerts(self) -> Alerts:
        policy = AlertPolicy(failures_in_a_row=3)
        return Alerts(
            store=self.store, clock=self.clock, policy=policy, away_since=lambda: self.away
        )

    async def jobs(self, *statuses: str) -> None:
        await self.store.events.append([
            NewEvent(
                type=EventType.JOB_STATE_CHANGED, subject="job:a", at=self.clock.now(),
                data={"after": status},
            )
            for status in statuses
        ])  # fmt: skip

    async def told(self) -> list[str]:
        found = [
            event
            for kind in (EventType.ALERT_RAISED, EventType.ALERT_CLEARED)
            for event in await self.store.events.read(type=kind)
        ]
        return [event.data["text"] for event in sorted(found, key=lambda event: event.id)]

    async def send(self, title: str, body: str) -> None:
        self.sent.append((title, body))


@pytest.fixture
def world(store):
    return World(store)


async def test_failures_are_counted_over_restarts(world):
    """Whoever runs the queue next goes on counting, and does not raise it again."""
    assert not await world.alerts().tick()
    await world.jobs("failed", "failed")
    assert not await world.alerts().tick()
    await world.jobs("failed")
    assert await world.alerts().tick()
    assert not await world.alerts().tick()
    await world.jobs("failed")
    assert not await world.alerts().tick()
    await world.jobs("done")
    assert await world.alerts().tick()
    assert [
        "3 jobs failed in a row, and none was done",
        "jobs are done again",
    ] == await world.told()


async def test_history_is_no_alert(world):
    """What failed before alerts were looked for is not counted."""
    await world.jobs(*["failed"] * 9)
    assert not await world.alerts().tick()


async def test_jules_is_away_and_comes_back(world):
    """Each is told once."""
    alerts = world.alerts()
    await alerts.tick()
    world.away = {"default": world.clock.now()}
    for _ in range(40):
        world.clock.advance(30)
        await alerts.tick()
    world.away = {}
    await alerts.tick()
    assert [
        "Jules (account default) has not answered for 15 minutes",
        "Jules (account default) answers again",
    ] == await world.told()


async def test_an_alert_does_not_wait_for_a_digest_or_the_morning(world):
    """It is critical."""
    night = DigestPolicy(wait=timedelta(hours=1), quiet_from=time(0), quiet_to=time(23, 59))
    telling = Notifications(store=world.store, notifier=world, clock=world.clock, policy=night)
    await telling.tick()
    alerts = world.alerts()
    await alerts.tick()
    await world.jobs("failed", "failed", "failed", "done")
    await alerts.tick()
    assert [] == await world.told()
    await world.jobs("failed", "failed", "failed")
    await alerts.tick()
    assert await telling.tick()
    assert "alert: 3 jobs failed in a row" in world.sent[0][1]

"""Metrics from the event log and the rows of a real store."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.clocks import HeldClock
from tests.waiting import until

from jules_job_manager.adapters.metrics.prometheus import PrometheusMeter
from jules_job_manager.adapters.storage.sql.probe import SqlStoreProbe
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.quota import AccountUse, Limits
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import StoreUnavailableError
from jules_job_manager.ports.quota_ledger import LedgerEntry
from jules_job_manager.ports.store_probe import Connections
from jules_job_manager.services.metering import EventMeter, StoreMeter

pytestmark = pytest.mark.integration


class World:
    """A store, its meters, and how often the dear things were read."""

    def __init__(self, store) -> None:
        self.store, self.clock, self.meter = store, HeldClock(), PrometheusMeter()
        self.probe = SqlStoreProbe(store.engine, self.clock)
        self.uses_read = 0
        self.events = EventMeter(
            store=store, meter=self.meter, clock=self.clock, accounts=("default",)
        )
        self.rows = StoreMeter(
            store=store, probe=self.probe, meter=self.meter, clock=self.clock, uses=self._uses,
            events=self.events, pools={"reads": lambda: Connections(in_use=3, idle=1)},
        )  # fmt: skip

    async def _uses(self):
        self.uses_read += 1
        limits = Limits(per_day=15)
        return {"default": AccountUse(limits=limits, starts=(self.clock.now(),) * 4)}

    def value(self, name, **labels):
        return self.meter.registry.get_sample_value(name, labels)

    def event(self, kind, subject="job:a", **data) -> NewEvent:
        return NewEvent(type=kind, subject=subject, at=self.clock.now(), data=data)


@pytest.fixture
async def world(store):
    made = World(store)
    yield made
    await made.rows.aclose()


async def test_events_are_counted_once_from_the_start_on(world):
    """What was before is not, so that a restart counts nothing twice."""
    await world.store.events.append([world.event(EventType.MERGED)])
    await world.events.count()
    assert 0 == world.value("jules_merges_total")
    await world.store.events.append([world.event(EventType.MERGED)] * 3)
    await world.events.count()
    await world.events.count()
    assert 3 == world.value("jules_merges_total")


async def test_counting_side_by_side_counts_once(world):
    """The follower and a scrape may meet."""
    await world.events.count()
    await world.store.events.append([world.event(EventType.MERGED)] * 40)
    await asyncio.gather(*(world.events.count() for _ in range(8)))
    assert 40 == world.value("jules_merges_total")


async def test_connections_of_every_pool(world):
    """Those of the store, and those beside it."""
    await world.rows.refresh()
    found = [
        world.value("jules_database_connections", pool=pool, state=state)
        for pool in ("store", "reads") for state in ("in_use", "idle")
    ]  # fmt: skip
    assert [0, 3, 1] == [found[0], *found[2:]]
    assert found[1] >= 0


async def test_a_task_that_ends_is_timed_from_its_creation(world):
    """One that is not kept is counted without a time."""
    await world.events.count()
    created = world.clock.now() - timedelta(minutes=4)
    task = JulesTask(id="t", status=TaskStatus.COMPLETED, created_at=created)
    await world.store.tasks.save_tasks([task])
    words = {"before": "in_progress", "after": "completed"}
    kind = EventType.TASK_STATE_CHANGED
    await world.store.events.append(
        [world.event(kind, "task:t", **words), world.event(kind, "task:gone", **words)]
    )
    await world.events.count()
    assert 2 == world.value("jules_tasks_completed_total")
    assert 240 == world.value("jules_task_duration_seconds_sum", status="completed")
    assert 1 == world.value("jules_task_duration_seconds_count", status="completed")


async def test_the_store_is_counted_and_not_too_often(world):
    """A scrape each second costs one count each 15 s, and the quota is read each minute."""
    job = Job(key="a", title="a", prompt="x", status=JobStatus.READY, queued_at=world.clock.now())
    await world.store.jobs.save_jobs([job])
    refusal = LedgerEntry(account="default", kind="refusal", at=world.clock.now())
    old = LedgerEntry(account="default", kind="refusal", at=world.clock.now() - timedelta(days=2))
    await world.store.ledger.append([refusal, old])
    await world.rows.refresh()
    assert (1, 0) == (world.value("jules_jobs", status="ready"), world.value("jules_active_tasks"))
    assert (15, 11, 1) == tuple(
        world.value(f"jules_quota_{name}", account="default") for name in ("limit", "left", "refusals")
    )  # fmt: skip
    await world.store.tasks.save_tasks([JulesTask(id="t", status=TaskStatus.PAUSED)])
    await world.clock.pass_time(14)
    await world.rows.refresh()
    assert 0 == world.value("jules_active_tasks")
    await world.clock.pass_time(1)
    await world.rows.refresh()
    assert (1, 15) == (
        world.value("jules_active_tasks"), world.value("jules_oldest_ready_job_age_seconds"),
    )  # fmt: skip
    assert 1 == world.uses_read
    await world.clock.pass_time(45)
    await world.rows.refresh()
    assert 2 == world.uses_read


async def test_scrapes_side_by_side_share_one_look(world):
    """Ten servers that scrape at once cost as much as one."""
    await asyncio.gather(*(world.rows.refresh() for _ in range(10)))
    assert 1 == world.uses_read


async def test_a_store_that_hangs_does_not_hang_the_scrape(world, monkeypatch):
    """After the patience the last values are shown."""
    await world.rows.refresh()
    await world.clock.pass_time(20)

    async def hang():
        await asyncio.Event().wait()

    monkeypatch.setattr(world.events, "count", hang)
    scrape = asyncio.ensure_future(world.rows.refresh())
    await world.clock.pass_time(4.9)
    assert not scrape.done()
    await world.clock.pass_time(0.2)
    assert scrape.done()


async def test_a_store_that_is_away_shows_the_last_values(world, monkeypatch):
    """And the log is counted when it is back."""
    await world.rows.refresh()
    await world.store.events.append([world.event(EventType.MERGED)])
    await world.clock.pass_time(20)

    async def away(**_):
        raise StoreUnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(world.store.events, "read", away)
        await world.rows.refresh()
        assert 0 == world.value("jules_merges_total")
        running = asyncio.ensure_future(world.events.run())
        await world.clock.settle()
    await world.clock.pass_time(2)
    await until(lambda: world.value("jules_merges_total"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert 1 == world.value("jules_merges_total")

"""A worker beside its reviews: the store that goes away, reviews that cannot be begun, its end."""

from __future__ import annotations

import asyncio

import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.errors import (
    NotRecordedError,
    OperationFailedError,
    StoreError,
    StoreUnavailableError,
)
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.services import worker as worker_module
from jules_job_manager.services.worker import Worker

pytestmark = pytest.mark.integration


class FakeReviewWorker:
    """Reviews that end one after the other as a test says."""

    def __init__(self, ends) -> None:
        self._ends = ends

    async def run_one(self, run_id):
        end = self._ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


class FakeDispatcher:
    """Brings as many reviews as there are ends, then waits for more."""

    def __init__(self, count) -> None:
        self.count, self.results, self.all_brought = count, [], asyncio.Event()
        self.failure: Exception | None = None

    async def work(self, run, *, at_once):
        for number in range(self.count):
            self.results.append(await run(f"run{number}"))
        self.all_brought.set()
        if self.failure is not None:
            raise self.failure
        await asyncio.Event().wait()


class FakeGuard:
    """A lock that is free, or not."""

    def __init__(self, *, is_free=True) -> None:
        self.is_free = is_free

    def take(self):
        return self.is_free

    def free(self):
        self.is_free = True


class EndlessRun:
    """A run that ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.ended, self.woken = asyncio.Event(), asyncio.Event(), 0

    async def run(self, lease: Lease):
        self.begun.set()
        await self.ended.wait()
        return ()

    def stop(self):
        self.ended.set()

    def wake(self):
        self.woken += 1


class World:
    def __init__(self, store, ends=(), guard=None) -> None:
        self.said: list[str] = []
        self.queue_run, self.dispatcher = EndlessRun(), FakeDispatcher(len(ends))
        self.wakes = []
        left = list(ends)

        def make_reviewer(wake):
            self.wakes.append(wake)
            return FakeReviewWorker(left)

        self.worker = Worker(
            store=store, clock=ImpatientClock(), owner="w", make_run=lambda: self.queue_run,
            make_reviewer=make_reviewer, dispatcher=self.dispatcher, reviews_at_once=1,
            report=lambda told: self.said.append(told.text), guard=guard,
        )  # fmt: skip


async def test_reviews_that_cannot_be_begun_stop_nothing(store):
    """The store may be away, or keep what it has; the worker goes on with the next."""
    ends = (StoreUnavailableError("away"), StoreError("it is full"), True)
    world = World(store, ends)
    standing = asyncio.ensure_future(world.worker.stand_by())
    await world.dispatcher.all_brought.wait()
    await world.queue_run.begun.wait()
    world.wakes[0]()
    world.worker.stop()
    await standing
    assert [False, False, True] == world.dispatcher.results
    assert 1 == len(world.wakes)  # one reviewer with its folders is enough for one at a time
    assert 1 == world.queue_run.woken
    assert "the store is away: away" in world.said
    assert "a review was not written down, and is begun again: it is full" in world.said


async def test_a_store_that_is_away_is_asked_again(store, monkeypatch):
    """A worker outlives its database."""
    monkeypatch.setattr(worker_module, "STAND_BY_SECONDS", 0.01)
    acquire, calls = store.leases.acquire, []

    async def failing_once(*args, **more):
        calls.append(1)
        if len(calls) == 1:
            raise StoreUnavailableError("gone")
        return await acquire(*args, **more)

    monkeypatch.setattr(store.leases, "acquire", failing_once)
    world = World(store, guard=FakeGuard())
    standing = asyncio.ensure_future(world.worker.stand_by())
    await world.queue_run.begun.wait()
    world.worker.stop()
    await standing
    assert ["the store is away: gone", "w runs the queue"] == world.said


async def test_while_another_leads_a_run_refuses_and_a_worker_waits(store):
    """The name of the other is said; without one, that there is somebody."""
    guard = FakeGuard(is_free=False)
    with pytest.raises(OperationFailedError, match="Another worker is at work"):
        await World(store, guard=guard).worker.run_queue()
    await store.leases.acquire("queue", "other:1", seconds=60)
    with pytest.raises(OperationFailedError, match="other:1 is at work"):
        await World(store).worker.run_queue()
    world = World(store, guard=guard)
    world.worker.stop()
    await world.worker.stand_by()
    assert [] == world.said


async def test_what_ends_the_dispatcher_ends_the_worker(store):
    """It says why, instead of standing by without ever reviewing."""
    world = World(store)
    world.dispatcher.failure = StoreError("no such table")
    with pytest.raises(StoreError, match="no such table"):
        await world.worker.stand_by()


async def test_a_stopped_worker_begins_no_review(store):
    """What is in hand is finished; nothing new is taken."""
    world = World(store, (True,))
    world.worker.stop()
    await world.worker.stand_by()
    assert not world.queue_run.begun.is_set()
    assert [] == world.wakes


async def test_a_task_that_could_not_be_kept_ends_no_worker(store, monkeypatch):
    """The store went away between a create and its record: the worker stands by and goes on."""
    monkeypatch.setattr(worker_module, "STAND_BY_SECONDS", 0.01)
    world = World(store)
    run, failures = world.queue_run.run, [NotRecordedError("Task 1 was created")]

    async def failing_once(lease):
        if failures:
            raise failures.pop()
        return await run(lease)

    monkeypatch.setattr(world.queue_run, "run", failing_once)
    standing = asyncio.ensure_future(world.worker.stand_by())
    await world.queue_run.begun.wait()
    world.worker.stop()
    await standing
    assert "the store went away: Task 1 was created" in world.said

"""The contract of the Dispatcher port, on real databases."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from tests.contract.dispatch.world import POLL_SECONDS, SOON, Worker, run_of

from jules_job_manager.errors import StoreUnavailableError

pytestmark = pytest.mark.integration
ON_POSTGRESQL = ("local on postgresql", "pgqueuer on postgresql")


async def test_an_added_run_is_worked_on_once(world):
    """Adding it again says that it is there, and nobody works on it twice."""
    worker = Worker(world, "w")
    async with world.working(worker, at_once=3):
        assert await world.dispatcher.enqueue(run_of(1))
        await worker.wait_until(lambda: worker.done == ["m1"])
        worker.may_finish.clear()
        assert await world.dispatcher.enqueue(run_of(2))
        assert not await world.dispatcher.enqueue(run_of(2))
        await worker.wait_until(lambda: worker.at_once == 1)
        worker.may_finish.set()
        await worker.wait_until(lambda: worker.done == ["m1", "m2"])
    assert ["m1", "m2"] == worker.begun
    assert [] == list(await world.store.review_queue.active())
    assert 2 == len(await world.store.jobs.list_reviews("a"))


async def test_runs_that_waited_before_anybody_worked_are_worked_on(world):
    """Also those of a program that is gone."""
    for number in range(4):
        assert await world.dispatcher.enqueue(run_of(number))
    worker = Worker(world, "w")
    async with world.working(worker, dispatcher=world.make_dispatcher()):
        await worker.wait_until(lambda: len(worker.done) == 4)
    assert ["m0", "m1", "m2", "m3"] == sorted(worker.begun)


async def test_no_more_run_at_once_than_wanted(world):
    """However many wait."""
    worker = Worker(world, "w")
    worker.may_finish.clear()
    for number in range(6):
        await world.dispatcher.enqueue(run_of(number))
    async with world.working(worker, at_once=2):
        await worker.wait_until(lambda: worker.at_once == 2)
        worker.may_finish.set()
        await worker.wait_until(lambda: len(worker.done) == 6)
    assert 2 == worker.most_at_once


async def test_one_at_a_time_is_one_at_a_time(world):
    """A worker with one slot has one run in hand."""
    worker = Worker(world, "w")
    for number in range(4):
        await world.dispatcher.enqueue(run_of(number))
    async with world.working(worker, at_once=1):
        await worker.wait_until(lambda: len(worker.done) == 4)
    assert 1 == worker.most_at_once


async def test_a_cancelled_run_is_not_worked_on(world):
    """It is gone, and the count of what is gone is returned."""
    for number in range(3):
        await world.dispatcher.enqueue(run_of(number))
    assert 2 == await world.dispatcher.cancel(["m0", "m2", "unknown"])
    worker = Worker(world, "w")
    async with world.working(worker):
        await worker.wait_until(lambda: worker.done == ["m1"])
        await world.dispatcher.enqueue(run_of(3))
        await worker.wait_until(lambda: len(worker.done) == 2)
    assert ["m1", "m3"] == worker.begun


async def test_the_run_of_a_killed_worker_is_taken_over(world):
    """As soon as its claim has run out, by whoever lives."""
    await world.dispatcher.enqueue(run_of(1))
    worker = Worker(world, "heir")
    async with world.doomed_process() as process:
        [run] = await world.store.review_queue.active()
        assert "doomed" == run.owner
        process.kill()
        await process.wait()
        async with world.working(worker):
            await worker.wait_until(lambda: worker.done == ["m1"])
    assert [] == list(await world.store.review_queue.active())


async def test_two_workers_share(world):
    """While one is full, the other takes what is left; each run is worked on once."""
    one, two = Worker(world, "one"), Worker(world, "two")
    one.may_finish.clear()
    two.may_finish.clear()
    async with (
        world.working(one, at_once=2),
        world.working(two, dispatcher=world.make_dispatcher(), at_once=2),
    ):
        for number in range(8):
            await world.dispatcher.enqueue(run_of(number))
        await one.wait_until(lambda: one.at_once == 2)
        await two.wait_until(lambda: two.at_once == 2)
        one.may_finish.set()
        two.may_finish.set()
        async with asyncio.timeout(SOON):
            while len(one.done) + len(two.done) < 8:
                await asyncio.wait(
                    [asyncio.ensure_future(_another(w)) for w in (one, two)],
                    return_when=asyncio.FIRST_COMPLETED,
                )
    assert 8 == len(set(one.begun + two.begun)) == len(one.begun + two.begun)


async def _another(worker: Worker) -> None:
    count = len(worker.done)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await worker.wait_until(lambda: len(worker.done) > count)


async def test_a_run_that_nobody_told_of_is_found(world):
    """A lost notification costs one look."""
    world.look_seconds = POLL_SECONDS
    looking = world.make_dispatcher()
    world.store.review_queue.announce = None
    worker = Worker(world, "w")
    async with world.working(worker, dispatcher=looking):
        await world.store.review_queue.enqueue(run_of(1))
        await worker.wait_until(lambda: worker.done == ["m1"])
    assert ["m1"] == worker.begun


async def test_who_stops_gives_back_what_is_in_hand(world):
    """And another worker does it."""
    one, two = Worker(world, "one"), Worker(world, "two")
    one.may_finish.clear()
    await world.dispatcher.enqueue(run_of(1))
    async with world.working(one):
        await one.wait_until(lambda: one.at_once == 1)
    assert ["m1"] == one.stopped
    async with world.working(two, dispatcher=world.make_dispatcher()):
        await two.wait_until(lambda: two.done == ["m1"])


@pytest.mark.parametrize("kind", ON_POSTGRESQL)
async def test_the_database_may_restart(make_world, kind):
    """Nobody's work ends; what is added after it is done, and so is what was there before."""
    world = await make_world(kind)
    worker = Worker(world, "w", claim_seconds=2)
    async with world.working(worker):
        await world.dispatcher.enqueue(run_of(1))
        await worker.wait_until(lambda: worker.done == ["m1"])
        world.server.stop()
        try:
            with pytest.raises(StoreUnavailableError):
                await world.dispatcher.enqueue(run_of(2))
        finally:
            world.server.start()
        await world.dispatcher.enqueue(run_of(2))
        await worker.wait_until(lambda: worker.done == ["m1", "m2"])

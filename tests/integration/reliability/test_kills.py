"""Parts of a team's installation are killed while it is used: nothing is lost, nothing is done twice.

Every scenario ends with the same questions to the database, to Jules, to git and to the audit log;
see `_is_whole`. Figures go to the log at level INFO: `pytest --log-cli-level=INFO`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.integration.reliability.load import Clients, Load
from tests.integration.reliability.world import World
from tests.servers import NO_REDIS, private_postgresql, private_redis
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]
_LOG = logging.getLogger(__name__)
JOBS_SECONDS = 180.0
"""Longer than a lease (20 s) and then the claim of a review (40 s) last, on a machine with other work."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a world that runs; each scenario leaves it whole for the next."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # each request, else
    with private_postgresql() as postgres, private_redis() as redis:
        if postgres is None:
            pytest.skip("no PostgreSQL: its binaries are not here, or this user has no name")
        if redis is None:
            pytest.skip(NO_REDIS)
        found = World(tmp_path_factory.mktemp("reliability"), postgres, redis)
        with found.running():
            yield found


async def _answers_more(load: Load, count: int = 6) -> None:
    """Wait until so many more requests were acknowledged."""
    before = load.answered()
    await until(lambda: load.answered() >= before + count, seconds=90)


async def _recovered(
    clients: Clients, since: float, what: str, *more: Callable[[], Awaitable[bool]]
) -> None:
    await until(clients.all_is_well, seconds=60)
    for condition in more:
        await until(condition, seconds=60)
    _LOG.info("%s: all well %.1f s after", what, time.monotonic() - since)


async def _is_whole(world: World, load: Load) -> None:
    """Ask everybody what happened, and compare it with what clients were told."""
    assert not load.refused
    done = {
        kind: {one.mark for one in load.told("done", kind)} for kind in ("task", "draft", "job")
    }
    unclear = [one.mark for one in load.told("unclear")]
    _LOG.info(
        "%d requests, %d of them sent again, %d unclear; %d events to each of %d followers, %d reconnects",
        len(load.sent), sum(one.tries > 1 for one in load.sent), len(unclear), len(load.seen[0]),
        len(load.seen), load.reconnects,
    )  # fmt: skip
    titles = await world.titles_at_jules()
    assert dict.fromkeys(done["task"], 1) == {mark: titles[mark] for mark in done["task"]}
    assert all(titles[one.mark] <= 1 for one in load.sent if one.kind == "task")
    sent = load.told("done", "message")
    every = [one for one in load.sent if one.kind == "message"]
    arrived = await world.messages_at_jules({one.task_id for one in every})
    assert {one.mark: 1 for one in sent} == {one.mark: arrived[one.mark] for one in sent}
    assert all(arrived[one.mark] <= 1 for one in every)
    told = await world.created_events()
    subjects = [f"task:{one.task_id}" for one in load.told("done", "task")]
    subjects += [f"job:{mark}" for mark in (*done["draft"], *done["job"])]
    assert dict.fromkeys(subjects, 1) == {subject: told[subject] for subject in subjects}
    ids = await world.event_ids(load.start_id)
    for seen in load.seen:  # the worker goes on writing
        assert [number for number in ids if number <= seen[-1]] == seen
    assert not world.audit_problems()


async def _jobs_are_done(world: World) -> None:
    """Wait for the queue, and look that no job was done twice."""

    async def finished() -> bool:
        return not await world.unfinished()

    try:
        await until(finished, seconds=JOBS_SECONDS)
    except TimeoutError:
        raise AssertionError(f"{await world.unfinished()}\n{world.said()}") from None
    jobs = world.entries[: world.jobs_used]
    titles = await world.titles_at_jules()
    for entry in jobs:
        assert 1 == sum(count for title, count in titles.items() if entry.word in title), entry.key
    merges = world.merges()
    assert {f"Merge {entry.key}": 1 for entry in jobs} == dict(merges)


async def test_a_server_is_killed(world):
    """Clients go to the other one; what the first had in hand is done once, or said to be unclear."""
    first, _ = world.servers
    clients = Clients(world)
    async with clients.at_work() as load:
        await clients.put_jobs(3)
        await _answers_more(load)
        first.kill()
        began = time.monotonic()
        await _answers_more(load, 1)
        _LOG.info("a killed server: the next answer %.1f s after", time.monotonic() - began)
        await _answers_more(load, 12)
        await asyncio.to_thread(first.start)
        await _recovered(clients, time.monotonic(), "a server started again")
        await _answers_more(load)
    await _is_whole(world, load)
    await _jobs_are_done(world)


async def test_valkey_is_killed(world):
    """Everything goes on; health says so; hints come again once it is back."""
    clients = Clients(world)
    async with clients.at_work() as load:
        await _answers_more(load)
        world.redis.stop()
        await _answers_more(load)
        await until(clients.has_seen("live degraded", "rate_limits degraded"))
        world.redis.start()
        await _recovered(clients, time.monotonic(), "Valkey")
        await _answers_more(load)
    await _is_whole(world, load)


async def test_postgresql_is_stopped(world):
    """Requests are refused until it is back, then done; health names it; streams go on."""
    clients = Clients(world)
    async with clients.at_work() as load:
        await clients.put_jobs(2)
        await _answers_more(load)
        await asyncio.to_thread(world.postgres.stop)
        await until(clients.has_seen("database unhealthy", "live unhealthy"))
        await asyncio.to_thread(world.postgres.start)
        await _recovered(clients, time.monotonic(), "PostgreSQL")
        await _answers_more(load)
    assert world.worker.runs, world.worker.text[-3000:]
    await _is_whole(world, load)
    await _jobs_are_done(world)


async def test_postgresql_holds_still(world):
    """Connections stay and say nothing: health notices; what waited is done when it goes on."""
    clients = Clients(world)
    async with clients.at_work() as load:
        await _answers_more(load)
        with world.postgres.silent():
            await until(clients.has_seen("database unhealthy"))
        await _recovered(clients, time.monotonic(), "a PostgreSQL that held still")
        await _answers_more(load)
    await _is_whole(world, load)


async def test_the_worker_is_killed(world):
    """The one that takes its place goes on with its jobs; none is begun twice."""
    clients = Clients(world)
    async with clients.at_work(writers=1) as load:
        await clients.put_jobs(4)

        async def at_work() -> bool:
            return bool(
                await world.rows("SELECT 1 FROM attempts WHERE state NOT IN ('done', 'failed')")
            )

        await until(at_work, seconds=60)
        world.worker.kill()
        began = time.monotonic()
        await until(clients.has_seen("worker unhealthy"), seconds=60)
        _LOG.info("a killed worker: said by health %.1f s after", time.monotonic() - began)
        began = time.monotonic()
        world.start_worker()
        await _recovered(clients, began, "another worker started")
    await _is_whole(world, load)
    await _jobs_are_done(world)


async def test_everything_is_killed(world):
    """Both servers, the worker, Valkey and PostgreSQL: the same as one after the other."""
    clients = Clients(world)
    async with clients.at_work() as load:
        await clients.put_jobs(3)
        await _answers_more(load)
        for server in world.servers:
            server.kill()
        world.worker.kill()
        world.redis.stop()
        await asyncio.to_thread(world.postgres.stop)
        began = time.monotonic()
        await asyncio.to_thread(world.postgres.start)
        world.redis.start()
        for server in world.servers:
            await asyncio.to_thread(server.start)
        world.start_worker()
        await _recovered(clients, began, "everything")
        await _answers_more(load)
    await _is_whole(world, load)
    await _jobs_are_done(world)


async def test_the_worker_inside_a_server(world):
    """It goes on after PostgreSQL was away, and says meanwhile that it cannot."""
    world.worker.send(signal.SIGTERM)
    assert 0 == await asyncio.to_thread(world.worker.wait, 30)
    _, second = world.servers
    assert 0 == await asyncio.to_thread(second.end)
    await asyncio.to_thread(second.start, has_worker=True)
    clients = Clients(world)
    async with clients.at_work(writers=1) as load:
        await clients.put_jobs(2)

        async def at_work() -> bool:
            return bool(await world.rows("SELECT 1 FROM leases WHERE owner <> ''"))

        await until(at_work, seconds=60)
        await asyncio.to_thread(world.postgres.stop)
        await until(clients.has_seen("database unhealthy"))
        await asyncio.to_thread(world.postgres.start)
        await _recovered(clients, time.monotonic(), "PostgreSQL, with the worker inside")
    await _is_whole(world, load)
    await _jobs_are_done(world)


async def test_all_end_when_they_are_asked_to(world):
    """With streams open and requests in hand, within the time that is given, and with nothing lost."""
    clients = Clients(world)
    first, second = world.servers
    async with clients.at_work() as load:
        await _answers_more(load)
        began = time.monotonic()
        assert 0 == await asyncio.to_thread(first.end)
        _LOG.info("a server with streams ended in %.1f s", time.monotonic() - began)
        await asyncio.to_thread(first.start)
        await _answers_more(load)
    await _is_whole(world, load)
    assert [0, 0] == [first.end(), second.end()]
    for server in world.servers:
        assert "Traceback" not in server.text

"""Server-sent events from a real server."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.integration.live.world import Stream, world
from tests.waiting import until

from jules_job_manager.services.live import LivePolicy
from jules_job_manager.web.live import StreamPolicy

pytestmark = pytest.mark.integration


async def test_events_come_as_they_are_written(tmp_path):
    """With their ids, and after the one a client has seen."""
    async with world(tmp_path) as here:
        await here.write(3)
        first = Stream(here, last="1")
        assert 200 == await first.connect()
        assert [1, 2] == await first.take(2)
        now = Stream(here)
        await now.connect()
        await until(lambda: here.live.health().followers == 2)
        await here.write(1)
        assert [3] == await now.take(1)
        assert [3] == await first.take(1)
        assert ("4", "4") == (first.last, now.last)
        for one in (first, now):
            await one.leave()
        await until(lambda: here.live.health().followers == 0)


async def test_filters(tmp_path):
    """Types, tasks, jobs, subjects and their beginnings; the named form for addEventListener."""
    async with world(tmp_path) as here:
        await here.write(1, type="a", subject="task:1")
        await here.write(1, type="b", subject="task:2")
        await here.write(1, type="a\nx: y", subject="job:1")
        for query, wanted in {
            "after=0&type=a": [0], "after=0&task=2": [1], "after=0&job=1": [2],
            "after=0&subject=task:*": [0, 1], "after=0&task=1&job=1&named=true": [0, 2],
        }.items():  # fmt: skip
            one = Stream(here, query)
            assert 200 == await one.connect()
            assert wanted == await one.take(len(wanted))
            await one.leave()
        assert ["a", ""] == one.names, "a type of two lines would be two fields"


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "after=99", "since=monday", "type=" + "x" * 400]
)
async def test_what_cannot_be_used(tmp_path, query):
    """It is refused before a stream begins."""
    async with world(tmp_path) as here:
        one = Stream(here, query)
        assert await one.connect() in {400, 422}
        await one.leave()


async def test_heartbeats(tmp_path):
    """Silence is filled with comments, which carry how far a client has come."""
    policy = LivePolicy(poll_seconds=0.05, heartbeat_seconds=0.05)
    async with world(tmp_path, live_policy=policy) as here:
        await here.write(2)
        one = Stream(here, "after=0&type=none")
        await one.connect()
        async for block in one.blocks():
            if block.get("id") == "2":
                assert "all is well" == block[""]
                break
        await one.leave()


async def test_a_server_that_stops(tmp_path):
    """Streams end at once, with a hint when to come back, and go on without a gap."""
    async with world(tmp_path) as here:
        many = [Stream(here, "after=0") for _ in range(20)]
        for one in many:
            await one.connect()
        await here.write(2)
        assert [[0, 1]] * 20 == [await one.take(2) for one in many]
        await here.stop()
        assert [[]] * 20 == [await one.take(1) for one in many], "the answer has an end"
        assert all(2000 <= one.retry <= 4000 for one in many)
        await here.write(2)
        await here.start()
        for one in many:
            await one.leave()
            assert 200 == await one.connect()
            assert [2, 3] == await one.take(2)
            await one.leave()


async def test_a_storm_of_reconnects(tmp_path):
    """Clients that come and go all the time see each event once, in order."""
    chance = random.Random(7)
    async with world(tmp_path, live_policy=LivePolicy(kept_events=5, page=10)) as here:

        async def visit(one: Stream) -> list[int]:
            seen: list[int] = []
            while len(seen) < 60:
                await one.connect()
                seen += await one.take(min(chance.randint(1, 25), 60 - len(seen)))
                await one.leave()
            return seen

        writing = asyncio.create_task(here.write(60))
        async with asyncio.timeout(60):
            found = await asyncio.gather(*(visit(Stream(here, "after=0", "0")) for _ in range(40)))
        await writing
        assert [list(range(60))] * 40 == found


async def test_a_slow_reader_costs_nobody_anything(tmp_path):
    """Others are served meanwhile; it gets all of it when it reads, and is cut off if it never does."""
    policy = StreamPolicy(stalled_seconds=3.0)
    async with world(
        tmp_path, live_policy=LivePolicy(kept_events=10), stream_policy=policy
    ) as here:
        slow, stuck, quick = (Stream(here, "after=0") for _ in range(3))
        for one in (slow, stuck, quick):
            await one.connect()
        await here.write(200, data={"much": "x" * 60_000})
        assert list(range(200)) == await quick.take(200)
        assert list(range(200)) == await slow.take(200)
        await until(lambda: here.live.health().followers == 2)
        await here.write(1)
        assert [200] == await slow.take(1)
        for one in (slow, stuck, quick):
            await one.leave()


async def test_too_many_clients(tmp_path):
    """Those above the limit are asked to come back later."""
    async with world(tmp_path, stream_policy=StreamPolicy(most_clients=1)) as here:
        first, second = Stream(here), Stream(here)
        assert 200 == await first.connect()
        await until(lambda: here.live.health().followers == 1)
        assert 503 == await second.connect()
        await first.leave()
        await second.leave()

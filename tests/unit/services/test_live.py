"""Followers of the event log hear of each event once, in order, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.waiting import until

from jules_job_manager.adapters.bus.local import LocalBus
from jules_job_manager.adapters.storage.json_store import open_json
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.event_filter import EVERY_EVENT, EventFilter
from jules_job_manager.errors import InvalidInputError, StoreUnavailableError
from jules_job_manager.services.announcing import Announcer
from jules_job_manager.services.live import Heartbeat, LiveEvents, LivePolicy

NOW = datetime(2026, 11, 24, tzinfo=UTC)
QUICK = LivePolicy(poll_seconds=0.001, heartbeat_seconds=0.002, kept_events=2, page=2)
FILTERS = (
    EVERY_EVENT,
    EventFilter(types=frozenset({"odd"})),
    EventFilter(subject_prefixes=("task:1",)),
)


def events(start: int, count: int) -> list[NewEvent]:
    return [
        NewEvent(type="odd" if n % 2 else "even", subject=f"task:{n}", at=NOW, data={"n": n})
        for n in range(start, start + count)
    ]


class Trouble:
    """An event log that is away for the next few reads."""

    def __init__(self, log) -> None:
        self._log = log
        self.left = 0

    def __getattr__(self, name):
        if name in {"read", "last_id"} and self.left:
            self.left -= 1
            raise StoreUnavailableError("away")
        return getattr(self._log, name)


class Follower:
    """Somebody who follows, may be slow, and comes back after being cut off."""

    def __init__(self, live: LiveEvents, matching: EventFilter, after_id: int) -> None:
        self._live, self._matching = live, matching
        self.seen: list[Event] = []
        self.last = after_id
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.connect()

    def connect(self) -> None:
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for found in self._live.follow(after_id=self.last, matching=self._matching):
            await self.may_go.wait()
            if isinstance(found, Event):
                self.seen.append(found)
            assert found.id >= self.last
            self.last = found.id

    async def cut_off(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, StoreUnavailableError):
            await self.task


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 6)),
        st.tuples(st.just("look"), st.just(0)),
        st.tuples(st.just("join"), st.integers(0, 2)),
        st.tuples(st.just("late"), st.integers(0, 2)),
        st.tuples(st.just("reconnect"), st.integers(0, 9)),
        st.tuples(st.just("stall"), st.integers(0, 9)),
        st.tuples(st.just("flow"), st.integers(0, 9)),
        st.tuples(st.just("away"), st.integers(1, 3)),
    ),
    max_size=25,
)


class World:
    """A log, its reader, and followers."""

    def __init__(self, store) -> None:
        self.store = store
        self.log = Trouble(store.events)
        self.live = LiveEvents(log=self.log, bus=LocalBus(), policy=QUICK)
        self.followers: list[tuple[Follower, EventFilter, int]] = []
        self.written = 0

    async def step(self, what: str, number: int) -> None:
        if what == "write":
            await self.store.events.append(events(self.written, number))
            self.written += number
        elif what == "look":
            await self.live.look()
        elif what in {"join", "late"}:
            after = await self.store.events.last_id() if what == "join" else 0
            matching = FILTERS[number]
            self.followers.append((Follower(self.live, matching, after), matching, after))
        elif what == "away":
            self.log.left = number
        elif self.followers:
            follower = self.followers[number % len(self.followers)][0]
            if what == "reconnect":
                await follower.cut_off()
                follower.connect()
            else:
                (follower.may_go.clear if what == "stall" else follower.may_go.set)()
        await asyncio.sleep(0)

    async def finish(self) -> None:
        """Let everybody come to the end; then compare with what was written."""
        self.log.left = 0
        await self.live.look()
        everything = await self.store.events.read(limit=1000)
        for follower, matching, after in self.followers:
            follower.may_go.set()
            if follower.task.done():  # the log was away when it began
                await follower.cut_off()
                follower.connect()
            wanted = [e for e in everything if e.id > after and matching.wants(e)]
            count = len(wanted)
            await until(lambda one=follower, count=count: len(one.seen) >= count)
        self.live.stop()
        for follower, matching, after in self.followers:
            async with asyncio.timeout(20):
                await follower.task
            assert follower.seen == [e for e in everything if e.id > after and matching.wants(e)]
        assert 0 == self.live.health().followers


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_each_event_reaches_each_follower_once_in_order(steps):
    """Writes, lost hints, slow consumers, cut connections and a log that is away change nothing."""

    async def play(folder: str) -> None:
        store = await open_json(Path(folder) / "tasks.json", SystemClock())
        world = World(store)
        await world.live.look()
        for what, number in steps:
            await world.step(what, number)
        await world.finish()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))


@pytest.fixture
async def store(tmp_path):
    return await open_json(tmp_path / "tasks.json", SystemClock())


async def take(live, count, **choice):
    found = []
    async with contextlib.aclosing(live.follow(**choice)) as following:
        async for one in following:
            found.append(one)
            if len(found) == count:
                return found
    return found


async def test_a_write_is_heard_of_without_looking_for_it(store):
    """The announcer hints on the bus, and the reader looks at once, long before its time."""
    bus = LocalBus()
    live = LiveEvents(log=store.events, bus=bus, policy=LivePolicy(poll_seconds=1000.0))
    async with Announcer(log=store.events, bus=bus).running(), asyncio.TaskGroup() as group:
        group.create_task(live.run())
        following = group.create_task(take(live, 2))
        await until(lambda: live.health().followers and live._head is not None)
        async with asyncio.timeout(20):
            await store.events.append(events(0, 1))
            await store.events.append(events(1, 1))
            assert [0, 1] == [found.data["n"] for found in await following]
        live.stop()


async def test_what_another_program_writes_is_found_by_looking(store, tmp_path):
    """No hint comes, and the reader looks every few seconds in any case."""
    live = LiveEvents(log=store.events, bus=LocalBus(), policy=QUICK)
    other = await open_json(tmp_path / "tasks.json", SystemClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(live.run())
        await other.events.append(events(0, 1))
        async with asyncio.timeout(20):
            async with contextlib.aclosing(live.follow(after_id=0)) as following:
                # A busy machine may take so long to look that a heartbeat comes first.
                found = await anext(one async for one in following if isinstance(one, Event))
            assert 0 == found.data["n"]
        live.stop()


async def test_heartbeats_say_how_far_a_follower_has_come(store):
    """Whoever wants little goes on from there, instead of reading all of it again."""
    live = LiveEvents(log=store.events, bus=LocalBus(), policy=QUICK)
    await live.look()
    await store.events.append(events(0, 9))
    await live.look()
    wanted = EventFilter(types=frozenset({"none such"}))
    assert [Heartbeat(id=9)] == await take(live, 1, after_id=0, matching=wanted)


async def test_one_read_for_a_thousand_followers(store):
    """Those who keep up cost the log nothing."""
    live = LiveEvents(log=store.events, bus=LocalBus(), policy=LivePolicy())
    await live.look()
    reads = 0
    plain = store.events.read

    async def counted(**choice):
        nonlocal reads
        reads += 1
        return await plain(**choice)

    store.events.read = counted
    everybody = [asyncio.create_task(take(live, 3)) for _ in range(1000)]
    await until(lambda: live.health().followers == 1000)
    await store.events.append(events(0, 3))
    await live.look()
    async with asyncio.timeout(60):
        assert 1000 == sum(len(found) == 3 for found in await asyncio.gather(*everybody))
    assert 1 == reads


async def test_an_id_of_another_store_is_refused(store):
    """An id that is not there yet would be silence for ever."""
    live = LiveEvents(log=store.events, bus=LocalBus(), policy=QUICK)
    await live.look()
    await store.events.append(events(0, 2))
    assert 2 == await live.begin(2), "the reader has not come to it yet, but it is there"
    with pytest.raises(InvalidInputError, match="no event 3 yet"):
        await take(live, 1, after_id=3)


async def test_a_log_that_is_away_at_the_start(store):
    """It is said, and it passes."""
    log = Trouble(store.events)
    live = LiveEvents(log=log, bus=LocalBus(), policy=QUICK)
    log.left = 1
    await live.look()
    assert live.health().degraded
    assert "away" == live.health().log_trouble
    with pytest.raises(StoreUnavailableError):
        await take(live, 1)
    await live.look()
    assert not live.health().degraded

"""Telling people from the event log of a real store: each at least once, in few messages."""

from __future__ import annotations

import asyncio
from datetime import UTC, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.clocks import FakeClock

from jules_job_manager.domain.event import Event, EventType, NewEvent
from jules_job_manager.domain.news import DigestPolicy, NewsKind
from jules_job_manager.errors import NotificationError
from jules_job_manager.services.notifying import Notifications

pytestmark = pytest.mark.integration
AT_ONCE = DigestPolicy(wait=timedelta(0))


class Places:
    """Keeps what it is sent; refuses while `taken` says that not everybody takes it."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.taken: int | None = None

    async def send(self, title: str, body: str) -> None:
        del title
        if self.taken != 0:
            self.messages.append(body)
        if self.taken is not None:
            raise NotificationError(context={"taken": self.taken})


class LogInMemory:
    """The two parts of a store that notifications use, for many random runs."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}
        self.written: list[Event] = []
        self.events = self

    async def read(self, *, after_id: int, limit: int) -> list[Event]:
        return self.written[after_id : after_id + limit]

    async def last_id(self) -> int:
        return len(self.written)

    async def append(self, events: list[NewEvent]) -> None:
        for e in events:
            self.written.append(
                Event(
                    id=len(self.written) + 1, type=e.type, subject=e.subject, at=e.at, data=e.data
                )
            )

    async def get_note(self, name: str) -> str | None:
        return self.notes.get(name)

    async def set_note(self, name: str, text: str) -> None:
        self.notes[name] = text


def _event(clock, key, after="needs_you") -> NewEvent:
    return NewEvent(
        type=EventType.JOB_STATE_CHANGED, subject=f"job:{key}", at=clock.now(),
        data={"after": after, "reason": "r"},
    )  # fmt: skip


@pytest.fixture
def parts(store):
    clock, places = FakeClock(), Places()

    def make(policy=AT_ONCE) -> Notifications:
        return Notifications(store=store, notifier=places, clock=clock, policy=policy)

    return clock, places, make


async def test_only_what_happens_after_it_was_turned_on_is_told(store, parts):
    """Nobody gets the history of a year."""
    clock, places, make = parts
    await store.events.append([_event(clock, "old")])
    assert not await make().tick()
    await store.events.append([_event(clock, "new")])
    assert await make().tick()
    assert ["new needs you: r"] == places.messages
    assert not await make().tick()


async def test_a_crash_between_sending_and_writing_it_down_repeats_and_loses_nothing(
    store, parts, monkeypatch
):
    """The next run tells it again, once."""
    clock, places, make = parts
    await make().tick()
    await store.events.append([_event(clock, "a")])

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as dying:
        dying.setattr(store, "set_note", die)
        with pytest.raises(asyncio.CancelledError):
            await make().tick()
    assert await make().tick()
    assert not await make().tick()
    assert ["a needs you: r"] * 2 == places.messages


async def test_a_message_nobody_takes_is_tried_with_growing_pauses(store, parts):
    """After 2, 4, 8 … minutes, at most an hour; then it is told with what came meanwhile."""
    clock, places, make = parts
    telling = make()
    await telling.tick()
    await store.events.append([_event(clock, "a")])
    places.taken = 0
    assert not await telling.tick()
    for minutes in (2, 4, 8):
        before = telling._failures
        clock.advance(minutes * 60 - 1)
        assert not await telling.tick()
        assert before == telling._failures
        clock.advance(1)
        assert not await telling.tick()
        assert before + 1 == telling._failures
    places.taken = None
    await store.events.append([_event(clock, "b")])
    clock.advance(3600)
    assert await telling.tick()
    assert ["a needs you: r\nb needs you: r"] == places.messages


async def test_one_broken_address_does_not_make_the_others_repeat(store, parts):
    """What somebody took is told."""
    clock, places, make = parts
    telling = make()
    await telling.tick()
    await store.events.append([_event(clock, "a")])
    places.taken = 1
    for _ in range(5):
        await telling.tick()
        clock.advance(3600)
    assert ["a needs you: r"] == places.messages


async def test_the_end_of_a_run_does_not_wait_for_a_digest_but_for_quiet_hours(store, parts):
    """What is kept back then is told by the next run."""
    clock, places, make = parts
    night = DigestPolicy(quiet_from=time(22), quiet_to=time(7), zone=UTC)
    await make(night).tick()
    await store.events.append([_event(clock, "a")])
    assert not await make(night).tick(last=True)
    clock.advance(7 * 3600)
    await store.events.append([_event(clock, "b")])
    assert await make(night).tick(last=True)
    assert ["a needs you: r\nb needs you: r"] == places.messages
    await store.events.append([_event(clock, "c")])
    assert not await make(night).tick()
    assert await make(night).tick(last=True)


async def test_what_is_not_wanted_is_not_told(store, parts):
    """`notify.events` chooses the kinds."""
    clock, places, make = parts
    policy = DigestPolicy(wait=timedelta(0), kinds=frozenset({NewsKind.FAILED}))
    await make(policy).tick()
    await store.events.append([_event(clock, "a"), _event(clock, "b", "failed")])
    assert await make(policy).tick()
    assert ["b failed: r"] == places.messages


STEPS = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(0, 3), st.booleans(), st.sampled_from([None, 0, 1]),
        st.booleans(),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@given(STEPS, st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost_and_the_budget_is_kept(steps, per_hour):
    """Whatever restarts and refusals come between, every piece is told; no hour has more messages."""

    async def live() -> None:
        clock, places, store = FakeClock(), Places(), LogInMemory()
        policy = DigestPolicy(per_hour=per_hour)

        def make() -> Notifications:
            return Notifications(store=store, notifier=places, clock=clock, policy=policy)

        telling, count, sent_at = make(), 0, []
        await telling.tick()
        for minutes, news, restart, places.taken, last in steps:
            clock.advance(minutes * 60)
            await store.append([_event(clock, f"job{count + n}") for n in range(news)])
            count += news
            telling = make() if restart else telling
            if await telling.tick(last=last):
                sent_at.append(clock.now())
        places.taken = None
        clock.advance(2 * 3600)
        await telling.tick()
        told = "\n".join(places.messages).splitlines()
        listed = [line for line in told if line.startswith("job")]
        unlisted = sum(int(line.split()[2]) for line in told if line.startswith("…"))
        assert count == len(listed) + unlisted
        assert len(set(listed)) == len(listed)
        for moment in sent_at:
            assert per_hour >= sum(timedelta(0) <= m - moment < timedelta(hours=1) for m in sent_at)

    asyncio.run(live())

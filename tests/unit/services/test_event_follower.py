"""Every event once, whatever order transactions end in."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from tests.clocks import FakeClock

from jules_job_manager.domain.event import Event
from jules_job_manager.services.event_follower import SETTLED_SECONDS, EventFollower


class LateLog:
    """A log whose events show up in any order."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.shown: set[int] = set()
        self.asked_from: list[int] = []

    def show(self, *numbers: int) -> None:
        self.shown |= set(numbers)

    async def read(self, *, after_id: int, limit: int) -> list[Event]:
        self.asked_from.append(after_id)
        found = sorted(n for n in self.shown if n > after_id)[:limit]
        return [Event(id=n, type="t", subject="s", at=self.clock.now()) for n in found]

    async def last_id(self) -> int:
        return max(self.shown, default=0)


async def _read(follower) -> list[int]:
    return [event.id for event in await follower.read()]


async def test_it_begins_now_and_tells_each_once():
    """History is not counted again."""
    clock = FakeClock()
    log = LateLog(clock)
    log.show(1, 2, 3)
    follower = EventFollower(log, clock)
    assert [] == await _read(follower)
    log.show(4, 5)
    assert [4, 5] == await _read(follower)
    assert [] == await _read(follower)
    assert 5 == follower.last_id
    assert 5 == log.asked_from[-1]


async def test_an_event_that_shows_up_late_is_told():
    """Its transaction took its id early and ended late."""
    clock = FakeClock()
    log = LateLog(clock)
    follower = EventFollower(log, clock, after_id=0)
    log.show(1, 3, 4)
    assert [1, 3, 4] == await _read(follower)
    clock.advance(SETTLED_SECONDS - 1)
    log.show(2)
    assert [2] == await _read(follower)
    assert [] == await _read(follower)
    assert 4 == log.asked_from[-1]


async def test_a_gap_that_is_never_filled_is_left_behind():
    """Else everything after an undone transaction would be read again for ever."""
    clock = FakeClock()
    log = LateLog(clock)
    follower = EventFollower(log, clock, after_id=0)
    log.show(2, 3)
    assert [2, 3] == await _read(follower)
    clock.advance(SETTLED_SECONDS)
    assert [] == await _read(follower)
    assert [] == await _read(follower)
    assert 3 == log.asked_from[-1]


async def test_more_than_a_page():
    """All of it at once, in order."""
    clock = FakeClock()
    log = LateLog(clock)
    log.show(*range(1, 1202))
    assert list(range(1, 1202)) == await _read(EventFollower(log, clock, after_id=0))


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_any_order_within_the_time_tells_each_exactly_once(order, at_once):
    """Whatever the order, nothing is lost and nothing is told twice."""

    async def live() -> list[int]:
        clock = FakeClock()
        log, told, rest = LateLog(clock), [], list(order)
        follower = EventFollower(log, clock, after_id=0)
        for count in at_once:
            log.show(*rest[:count])
            rest = rest[count:]
            told += await _read(follower)
            clock.advance(SETTLED_SECONDS / 13)
        log.show(*rest)
        return told + await _read(follower)

    assert sorted(order) == sorted(asyncio.run(live()))

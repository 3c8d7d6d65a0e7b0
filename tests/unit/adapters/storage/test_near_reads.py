"""Reads happen in the event loop while they are quick, and in a thread when they are not."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from jules_job_manager.adapters.storage.reading.near import APART_SECONDS, SLOW_SECONDS, NearReads
from jules_job_manager.errors import StoreUnavailableError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def parts():
    clock, opened, closed = Clock(), [], []

    def made(busy_seconds):
        opened.append((threading.get_ident(), busy_seconds))
        return "resource"

    reads = NearReads(open=made, close=closed.append, name="test", clock=clock)
    yield reads, clock, opened, closed
    await reads.aclose()


def here(_):
    return threading.get_ident() == threading.main_thread().ident


async def test_quick_reads_are_near_and_long_ones_are_not(parts):
    """The loop's own connection waits for no lock; the thread's does."""
    reads, _, opened, closed = parts
    assert await reads.run(here)
    assert not await reads.run(here, is_short=False)
    assert await reads.run(here)
    assert [busy > 0 for _, busy in opened] == [False, True]
    await reads.aclose()
    await reads.aclose()
    assert closed == ["resource", "resource"]
    with pytest.raises(StoreUnavailableError):
        await reads.run(here)


async def test_after_a_slow_read_the_thread_reads_for_a_while(parts):
    """What the disk must be waited for holds up nobody else."""
    reads, clock, _, _ = parts

    def slow(resource):
        clock.now += SLOW_SECONDS * 2
        return here(resource)

    assert await reads.run(slow)
    assert not await reads.run(here)
    clock.now += APART_SECONDS * 0.9
    assert not await reads.run(here)
    clock.now += APART_SECONDS * 0.2
    assert await reads.run(here)


async def test_what_is_locked_is_waited_for_in_the_thread(parts):
    """A lock is no failure yet; whatever else fails is raised."""
    reads, clock, _, _ = parts

    def locked(resource):
        if here(resource):
            raise sqlite3.OperationalError("database is locked")
        return "found"

    assert await reads.run(locked) == "found"
    assert not await reads.run(here)
    clock.now += APART_SECONDS * 2
    with pytest.raises(ZeroDivisionError):
        await reads.run(lambda _: 1 // 0)
    assert await reads.run(here)

"""What every bus does."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest
from tests.waiting import until

from jules_job_manager.domain.event import NewEvent

pytestmark = pytest.mark.integration
EVENT = NewEvent(type="t", subject="task:1\r\n\0", at=datetime(2026, 11, 24, tzinfo=UTC), data={"d": "\ud800"})  # fmt: skip


class Listener:
    """Counts what it hears."""

    def __init__(self, bus) -> None:
        self.heard = 0
        self._bus = bus

    def hear(self) -> None:
        self.heard += 1

    @contextlib.asynccontextmanager
    async def listening(self):
        task = asyncio.create_task(self._bus.listen(self.hear))
        try:
            await until(lambda: self.heard)
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_whoever_begins_to_listen_is_woken(bus):
    """Something may have happened before; the log is looked at once."""
    async with Listener(bus).listening() as one:
        assert one.heard


async def test_every_listener_hears_every_hint(bus):
    """One hint wakes all, and what is in it does not matter."""
    async with Listener(bus).listening() as one, Listener(bus).listening() as other:
        for count in (1, 2):
            before = (one.heard, other.heard)
            await bus.publish([EVENT] * count)
            await until(lambda was=before: one.heard > was[0] and other.heard > was[1])


async def test_nothing_is_no_hint(bus):
    """No events wake nobody."""
    async with Listener(bus).listening() as one:
        await bus.publish([])
        before = one.heard
        await bus.publish([EVENT])
        await until(lambda: one.heard > before)
        assert before + 1 == one.heard


async def test_who_has_stopped_hears_nothing(bus):
    """And a hint without listeners troubles nobody."""
    one = Listener(bus)
    async with one.listening():
        pass
    before = one.heard
    await bus.publish([EVENT])
    async with Listener(bus).listening():
        assert before == one.heard


async def test_it_is_well(bus):
    """Health names the bus."""
    await bus.publish([EVENT])
    health = bus.health()
    assert (bus.name, False, "", 0) == (
        health.name, health.degraded, health.detail, health.lost_hints,
    )  # fmt: skip


async def test_closing_twice(bus):
    """It is safe."""
    await bus.aclose()
    await bus.aclose()

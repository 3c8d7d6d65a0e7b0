"""Gives hints on the bus for everything that this process writes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from jules_job_manager.domain.event import NewEvent
from jules_job_manager.ports.event_bus import EventBus
from jules_job_manager.ports.event_log import EventLog

MOST_WAITING = 1000
"""Events kept for the bus while it is slow; more are not hinted at, and found by looking."""
AT_ONCE = 100
LAST_SECONDS = 2.0
"""Longest wait at the end for what was not yet sent."""


class Announcer:
    """Takes what the store has written and publishes it, so that no writer waits for the bus."""

    def __init__(self, *, log: EventLog, bus: EventBus) -> None:
        """Bind the parts; `start` binds them to each other."""
        self._log = log
        self._bus = bus
        self._waiting: deque[NewEvent] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish in the background while the block runs, and the rest at its end. Use it once."""
        self._loop = asyncio.get_running_loop()
        self._log.tell(self._note)
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send_for_ever())
            try:
                yield
            except Exception as exc:  # noqa: BLE001 - raised below, not as part of a group
                failure = exc
            finally:
                sending.cancel()
                self._loop = None
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self._send()
        except TimeoutError:
            self._waiting.clear()  # hints only: whoever follows looks by itself
        if failure is not None:
            raise failure

    def _note(self, events: Sequence[NewEvent]) -> None:
        """Take events from any thread."""
        self._waiting.extend(events)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def _send_for_ever(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._send()

    async def _send(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            await self._bus.publish(batch)

"""Hints within one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from jules_job_manager.domain.event import NewEvent
from jules_job_manager.ports.event_bus import BusHealth


class LocalBus:
    """The EventBus port in memory. What other processes write is found by looking at the log."""

    name = "local"

    def __init__(self) -> None:
        """Begin with no listener."""
        self._listeners: list[Callable[[], None]] = []

    async def publish(self, events: Sequence[NewEvent]) -> None:
        """Tell every listener."""
        if events:
            for heard in tuple(self._listeners):
                heard()

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` after every hint; runs until cancelled."""
        self._listeners.append(heard)
        try:
            heard()
            await asyncio.Event().wait()
        finally:
            self._listeners.remove(heard)

    def health(self) -> BusHealth:
        """Return that all is well."""
        return BusHealth(name=self.name)

    async def aclose(self) -> None:
        """Do nothing."""

"""Hints that events were written. They only wake; the event log is the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.event import NewEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class BusHealth:
    """How the bus does. A degraded one loses nothing: readers look at the log from time to time."""

    name: str
    degraded: bool = False
    detail: str = ""
    """One sentence for a person, or empty."""
    lost_hints: int = 0
    """Hints that could not be given since the start."""


class EventBus(Protocol):
    """Carries hints from whoever writes events to whoever follows them.

    A hint may come late, twice, or never.
    """

    @property
    def name(self) -> str:
        """`local` or `redis`."""
        ...

    async def publish(self, events: Sequence[NewEvent]) -> None:
        """Tell every listener that these were written. Takes bounded time and raises nothing."""
        ...

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` after every hint, and when some may have been lost; runs until cancelled.

        A bus that goes away is connected to again.
        """
        ...

    def health(self) -> BusHealth:
        """Return how it does, from what is known: nothing is asked."""
        ...

    async def aclose(self) -> None:
        """Let go of connections. Safe to call twice."""
        ...

"""The append-only list of facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jules_job_manager.domain.event import Event, NewEvent


class EventLog(Protocol):
    """Appends and reads events. Nothing is ever changed or removed."""

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Write events in order and return them with their ids."""
        ...

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        after_id: int = 0,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first, at most `limit` (1 to 1000)."""
        ...

    async def last_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        ...

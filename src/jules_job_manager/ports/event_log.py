"""The append-only list of facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.event_filter import EVERY_EVENT, EventFilter

Listener = Callable[[Sequence[NewEvent]], None]
"""Told of events once they are kept, from any thread. It returns at once and raises nothing."""


class EventLog(Protocol):
    """Appends and reads events. Nothing is ever changed or removed.

    Events become visible in the order of their ids, whoever writes them: who has read up to an id
    has missed none before it, and never will.
    """

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Write events in order and return them with their ids."""
        ...

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        matching: EventFilter = EVERY_EVENT,
        after_id: int = 0,
        before_id: int | None = None,
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first.

        Args:
            subject: Only those about exactly this.
            type: Only those of this type.
            matching: Only those that it wants, too.
            after_id: Only those with a greater id: the last one read so far.
            before_id: Only those with a smaller id; None: to the newest.
            newest_first: The other way round: then `before_id` leads from page to page.
            limit: At most so many, 1 to 1000.

        Raises:
            InvalidInputError: the limit is out of range.
            StoreError: the store cannot be read.
        """
        ...

    async def last_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        ...

    def tell(self, listener: Listener) -> None:
        """Call `listener` with all that this store object writes from now on, once it is kept.

        Whatever method wrote it. What other programs write is not told: read on for that.
        """
        ...

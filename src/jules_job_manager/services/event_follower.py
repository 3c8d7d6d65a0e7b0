"""Reads the event log as it grows: each event once, also those whose transaction ended late."""

from __future__ import annotations

from jules_job_manager.domain.event import Event
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.event_log import EventLog

PAGE = 500
SETTLED_SECONDS = 90.0
"""After so long no transaction that wrote an earlier id can still be open: the database ends one
that says nothing for 20 s, and one answer takes 60 s at most."""


class EventFollower:
    """Follows the log from a cursor, without keeping anything in the store.

    Ids are given out before transactions end, so an event with a lower id may show up after one
    with a higher id. Therefore what lies above a gap is read again for 90 s, and what was seen is
    left out; most gaps are those of transactions that were undone, and are never filled.
    """

    def __init__(self, events: EventLog, clock: Clock, *, after_id: int | None = None) -> None:
        """Follow `events` from after `after_id`; None: from now on."""
        self._events = events
        self._clock = clock
        self._settled = after_id
        self._seen: dict[int, float] = {}
        """Ids above the settled one, and when each was seen."""

    async def begin(self) -> int:
        """Fix where following begins, if that is still open; return that id."""
        if self._settled is None:
            self._settled = await self._events.last_id()
        return self._settled

    @property
    def last_id(self) -> int:
        """The highest id that was seen; 0 before `begin`."""
        return max(self._seen, default=self._settled or 0)

    async def read(self) -> list[Event]:
        """Return the events that are new, oldest first.

        Raises:
            StoreUnavailableError: the store is away; nothing is lost by it.
        """
        after = await self.begin()
        new: list[Event] = []
        while True:
            page = await self._events.read(after_id=after, limit=PAGE)
            now = self._clock.monotonic_seconds()
            for event in page:
                after = event.id
                if event.id not in self._seen:
                    self._seen[event.id] = now
                    new.append(event)
            if len(page) < PAGE:
                break
        self._settle()
        return new

    def _settle(self) -> None:
        """Move on over what has no gap before it, and over gaps that nothing can fill any more."""
        settled = self._settled or 0
        edge = self._clock.monotonic_seconds() - SETTLED_SECONDS
        settled = max((n for n, at in self._seen.items() if at <= edge), default=settled)
        while settled + 1 in self._seen:
            settled += 1
        self._settled = settled
        self._seen = {n: at for n, at in self._seen.items() if n > settled}

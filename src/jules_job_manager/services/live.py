"""Following the event log: one reader for all who want to hear.

The reader looks at the log when the bus hints, and every few seconds in any case. What it reads it
keeps for a while, in one place for everybody. A follower is nothing but the id it has come to: it
takes what comes next from there, or from the log itself when it has fallen behind what is kept.
So nobody's slowness costs memory or holds up others, and each event reaches each follower once.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.event_filter import EVERY_EVENT, EventFilter
from jules_job_manager.errors import InvalidInputError, StoreError, StoreUnavailableError
from jules_job_manager.ports.event_bus import BusHealth, EventBus
from jules_job_manager.ports.event_log import EventLog

_LOG = logging.getLogger(__name__)
_ID = attrgetter("id")


@dataclass(frozen=True, kw_only=True, slots=True)
class LivePolicy:
    """How events are followed."""

    poll_seconds: float = 2.0
    """Longest time between two looks at the log, > 0."""
    heartbeat_seconds: float = 15.0
    """Silence after which a follower hears that all is well, > 0."""
    kept_events: int = 5000
    """Newest events kept for everybody, >= 1; for a while up to twice as many."""
    page: int = 500
    """Events read at once, 1 to 1000."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """Nothing new. `id` is how far the follower has come: it may go on from there."""

    id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveHealth:
    """How following does."""

    followers: int
    bus: BusHealth
    log_trouble: str = ""
    """Why the log cannot be read just now, or empty."""

    @property
    def degraded(self) -> bool:
        """Whether news may come late."""
        return self.bus.degraded or bool(self.log_trouble)


class LiveEvents:
    """Lets any number of followers hear of each event once, in order."""

    def __init__(self, *, log: EventLog, bus: EventBus, policy: LivePolicy | None = None) -> None:
        """Bind the parts; nothing is read before `run` or `look`."""
        self._log = log
        self._bus = bus
        self._policy = policy or LivePolicy()
        self._hint = asyncio.Event()
        self._kept: list[Event] = []
        self._kept_after = 0
        """Every event with a greater id, up to the head, is in `_kept`."""
        self._head: int | None = None
        self._news = asyncio.Event()
        """Set, and replaced, whenever something changed for followers."""
        self._stopped = False
        self._followers = 0
        self._trouble = ""

    @property
    def is_stopped(self) -> bool:
        """Whether streams end."""
        return self._stopped

    def stop(self) -> None:
        """Let every stream end now, and new ones at once."""
        self._stopped = True
        self._hint.set()
        self._tell()

    def health(self) -> LiveHealth:
        """Return how it does, from what is known."""
        return LiveHealth(
            followers=self._followers, bus=self._bus.health(),
            log_trouble=self._trouble,
        )  # fmt: skip

    async def run(self) -> None:
        """Read what is new for as long as streams are wanted."""
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._bus.listen(self._hint.set))
            while not self._stopped:
                self._hint.clear()
                await self.look()
                await _is_set_within(self._hint, self._policy.poll_seconds)
            listening.cancel()

    async def look(self) -> None:
        """Read what is new and let followers have it. A log that is away is looked at next time."""
        try:
            if self._head is None:
                self._head = self._kept_after = await self._log.last_id()
                self._tell()
            while True:
                events = await self._log.read(after_id=self._head, limit=self._policy.page)
                self._trouble = ""
                if not events:
                    return
                self._keep(events)
                self._tell()
                if len(events) < self._policy.page:
                    return
        except StoreError as exc:
            if not self._trouble:
                _LOG.warning("Events cannot be read: %s", exc, extra={"action": "live"})
            self._trouble = exc.for_clients

    async def follow(
        self, *, after_id: int | None = None, matching: EventFilter = EVERY_EVENT
    ) -> AsyncGenerator[Event | Heartbeat, None]:
        """Yield each wanted event once, in order, and heartbeats in between, until `stop`.

        Args:
            after_id: The last event that was seen, >= 0; None: only what happens from now on.
            matching: What is wanted.

        Raises:
            InvalidInputError: there is no such event yet.
        """
        self._followers += 1
        try:
            cursor = await self.begin(after_id)
            while not self._stopped:
                news, patience = self._news, self._policy.heartbeat_seconds
                try:
                    events, reached = await self._after(cursor, matching)
                except StoreError:  # `look` tells of it
                    events, reached, patience = (), cursor, self._policy.poll_seconds
                for event in events:
                    yield event
                    if self.is_stopped:
                        return
                is_behind = reached > cursor
                cursor = reached
                if not is_behind and not await _is_set_within(news, patience):
                    yield Heartbeat(id=cursor)
        finally:
            self._followers -= 1

    async def begin(self, after_id: int | None) -> int:
        """Return the id after which somebody who saw `after_id` goes on; None: from now on.

        Raises:
            InvalidInputError: there is no such event yet.
            StoreUnavailableError: the log could not be read since the start.
        """
        if self._head is None and not self._stopped:
            await _is_set_within(self._news, 2 * self._policy.poll_seconds)
            if self._head is None:
                raise StoreUnavailableError("The events cannot be read yet.")
        head = self._head or 0
        if after_id is None:
            return head
        if after_id > head and after_id > await self._log.last_id():
            raise InvalidInputError(
                f"There is no event {after_id} yet.",
                hint="Ids belong to one store; begin again without an id.",
            )
        return after_id

    async def _after(self, cursor: int, matching: EventFilter) -> tuple[Sequence[Event], int]:
        """Return what comes next, and the id up to which nothing else is wanted.

        Raises:
            StoreError: the follower is behind what is kept, and the log cannot be read.
        """
        head = self._head or 0
        if cursor >= self._kept_after:
            start = bisect_right(self._kept, cursor, key=_ID)
            found = self._kept[start : start + self._policy.page]
            reached = found[-1].id if found else cursor
            return [event for event in found if matching.wants(event)], reached
        page = await self._log.read(after_id=cursor, matching=matching, limit=self._policy.page)
        if len(page) == self._policy.page:
            return page, page[-1].id
        # The whole rest was read: nothing else is there that the reader had seen before.
        return page, max(head, page[-1].id if page else 0)

    def _keep(self, events: Sequence[Event]) -> None:
        self._kept.extend(events)
        self._head = events[-1].id
        if len(self._kept) > 2 * self._policy.kept_events:  # seldom, so that it costs little
            gone = len(self._kept) - self._policy.kept_events
            self._kept_after = self._kept[gone - 1].id
            del self._kept[:gone]

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

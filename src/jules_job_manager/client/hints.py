"""Hearing at once that something happened at the service, by its live stream of events.

A hint says: look now. What is looked at comes over the ordinary routes, so a stream that cannot be
had, or breaks, costs time and nothing else; whoever waits looks again after its own interval.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from jules_job_manager.client.connection import Connection
from jules_job_manager.errors import (
    AccessDeniedError,
    InvalidInputError,
    JulesManagerError,
    SignInRequiredError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.services.first_of import first_of

STREAM = "/api/v1/events/stream"
FIRST_WAIT_SECONDS = 1.0
"""Before the stream is asked for again; doubled each time it fails, up to `MOST_WAIT_SECONDS`."""
MOST_WAIT_SECONDS = 30.0


class Hints:
    """Hears of events as long as they can be heard."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        filters: Mapping[str, str | Sequence[str]],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Listen over `connection`.

        Args:
            connection: To the service.
            clock: Waits between two tries.
            filters: Which events, as parameters of the stream (docs/reference/live.md).
            chance: Returns 0 to 1, so that not all clients come back at once.
        """
        self._connection = connection
        self._clock = clock
        self._filters = dict(filters)
        self._chance = chance
        self._news = asyncio.Event()
        self._last_id = ""
        self.is_live = False
        """Whether the stream is open, so that every event is heard at once."""

    def wake(self) -> None:
        """Let whoever waits look now."""
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Return when something happened since the last call, or after so long."""
        await first_of(self._clock.sleep(seconds), self._news.wait())
        self._news.clear()

    async def listen(self) -> None:
        """Listen until cancelled, or until the service says that it never will let us."""
        wait, asked = FIRST_WAIT_SECONDS, 0.0
        while True:
            try:
                async for retry_ms in self._heard():
                    wait = FIRST_WAIT_SECONDS
                    if retry_ms is not None:
                        asked = retry_ms / 1000
            except (SignInRequiredError, AccessDeniedError):
                return  # the looks tell what is wrong, if they may look at all
            except InvalidInputError:
                self._last_id = ""  # of a store that is not there any more
            except JulesManagerError:
                pass
            finally:
                self.is_live = False
            await self._clock.sleep(min(max(asked, wait), MOST_WAIT_SECONDS) * (1 + self._chance()))
            wait = min(2 * wait, MOST_WAIT_SECONDS)

    async def _heard(self) -> AsyncIterator[int | None]:
        """Yield once for whatever came, with the pause (ms) that the service asks for, if it does."""
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        following = self._connection.follow(STREAM, query=self._filters, headers=headers)
        async with aclosing(following):
            async for message in following:
                if not self.is_live:
                    self._news.set()  # what happened while nobody listened
                self.is_live = True
                self._last_id = message.id or self._last_id
                if message.data:
                    self._news.set()
                yield message.retry


@asynccontextmanager
async def hearing(
    connection: Connection, clock: Clock, **filters: str | Sequence[str]
) -> AsyncIterator[Hints]:
    """Listen while the block runs; see `Hints`."""
    hints = Hints(connection, clock, filters=filters)
    listening = asyncio.ensure_future(hints.listen())
    try:
        yield hints
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

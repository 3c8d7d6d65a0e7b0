"""Following the queue that a service runs, until nothing can move without a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from jules_job_manager.domain.event import EventType
from jules_job_manager.errors import ServiceUnreachableError
from jules_job_manager.services.outlook import Outlook
from jules_job_manager.services.queue_news import progress_of
from jules_job_manager.services.queue_state import Progress

if TYPE_CHECKING:
    from jules_job_manager.client.app import RemoteApp
    from jules_job_manager.client.hints import Hints

LIVE_SECONDS = 10.0
"""Between two looks while events are heard as they happen."""
POLL_SECONDS = 2.0
"""Between two looks while they are not."""
NO_WORKER_SECONDS = 15.0
"""A worker may be away for so long: it stands by, or is started again."""
_PAGE = 1000


class Ended(StrEnum):
    """Why following ended."""

    DRAINED = "drained"
    """Nothing can move without a person."""
    NO_WORKER = "no worker"
    """Nobody runs the queue, so that nothing moves."""
    STOPPED = "stopped"


class QueueFollow:
    """Tells of each event of the queue once, in order, over restarts of the service."""

    def __init__(
        self, app: RemoteApp, *, report: Callable[[Progress], None], watch: bool = False
    ) -> None:
        """Follow the queue of `app`.

        Args:
            app: The service.
            report: Told of everything that happens.
            watch: Go on when nothing can move.
        """
        self._app = app
        self._report = report
        self._watch = watch
        self._hints: Hints | None = None
        self._is_stopped = False
        self._is_away = False
        self._drained = False
        """Whether the worker said, since we follow, that nothing can move."""
        self._after = 0
        self._idle_since: datetime | None = None
        """Since when nothing can move, by the clock of the service."""
        self._alone_since: datetime | None = None
        self._said_alone = False

    @property
    def is_listening(self) -> bool:
        """Whether it follows by now, and hears of events as they happen."""
        return self._hints is not None and self._hints.is_live

    def stop(self) -> None:
        """End at once."""
        self._is_stopped = True
        if self._hints is not None:
            self._hints.wake()

    async def run(self) -> Ended:
        """Follow from now on.

        Raises:
            JulesManagerError: the service refuses to tell. Its being away is waited out.
        """
        self._after = await self._app.store.events.last_id()
        async with self._app.hearing(subject=("job:*", "queue")) as hints:
            self._hints = hints
            while not self._is_stopped:
                ended = await self._looked()
                if ended is not None:
                    return ended
                is_calm = hints.is_live and self._idle_since is None and self._alone_since is None
                await hints.wait(LIVE_SECONDS if is_calm else POLL_SECONDS)
        return Ended.STOPPED

    async def _looked(self) -> Ended | None:
        """Tell what is new, and return whether that was all."""
        try:
            await self._tell_news()
            now = await self._app.outlook()
        except ServiceUnreachableError as exc:
            if not self._is_away:
                self._say(self._app.clock.now(), str(exc))
            self._is_away = True
            return None
        if self._is_away:
            self._say(now.at, "the service answers again")
        self._is_away = False
        if not now.leader:
            return self._alone(now)
        self._alone_since, self._said_alone = None, False
        return Ended.DRAINED if self._is_over(now) and not self._watch else None

    def _is_over(self, now: Outlook) -> bool:
        """Return whether nothing moves, surely.

        What a person did just before we came is seen by the worker a little later. When it says
        itself that nothing can move, that is known at once.
        """
        if now.may_move:
            self._idle_since, self._drained = None, False
            return False
        self._idle_since = self._idle_since or now.at
        idle_seconds = (now.at - self._idle_since).total_seconds()
        return self._drained or idle_seconds >= now.settles_seconds

    def _alone(self, now: Outlook) -> Ended | None:
        self._alone_since = self._alone_since or now.at
        if (now.at - self._alone_since).total_seconds() < NO_WORKER_SECONDS:
            return None
        if not self._watch:
            return Ended.NO_WORKER
        if not self._said_alone:
            self._say(now.at, "no worker runs this queue; waiting for one")
        self._said_alone = True
        return None

    async def _tell_news(self) -> None:
        while True:
            events = await self._app.store.events.read(after_id=self._after, limit=_PAGE)
            for event in events:
                self._after = event.id
                self._drained = self._drained or event.type == EventType.QUEUE_DRAINED
                progress = progress_of(event)
                if progress is not None:
                    self._report(progress)
            if len(events) < _PAGE:
                return

    def _say(self, at: datetime, text: str) -> None:
        self._report(Progress(at=at, job_key="", text=text, rule="service"))

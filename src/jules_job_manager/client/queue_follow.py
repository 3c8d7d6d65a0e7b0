"""Following the queue that a service runs, until nothing can move without a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from jules_job_manager.domain.event import EventType
from jules_job_manager.errors import (
    JulesManagerError,
    RateLimitedError,
    ServiceUnreachableError,
)
from jules_job_manager.services.first_of import first_of
from jules_job_manager.services.outlook import Outlook
from jules_job_manager.services.plan_desk import PlanDesk, PlanQuestion
from jules_job_manager.services.queue_news import progress_of
from jules_job_manager.services.queue_state import Progress

if TYPE_CHECKING:
    from jules_job_manager.client.app import RemoteApp
    from jules_job_manager.client.hints import Hints
    from jules_job_manager.domain.orchestration import Snapshot

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
        self,
        app: RemoteApp,
        *,
        report: Callable[[Progress], None],
        show: Callable[[Snapshot], None] | None = None,
        desk: PlanDesk | None = None,
        watch: bool = False,
    ) -> None:
        """Follow the queue of `app`.

        Args:
            app: The service.
            report: Told of everything that happens.
            show: Shown what the service knows after every look; None: nobody looks at it.
            desk: Where a person decides on plans; None: they are left to other commands.
            watch: Go on when nothing can move.
        """
        self._app = app
        self._report = report
        self._show = show
        self._desk = desk
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
        self._asked_to_wait = 0.0
        """Seconds that the service asks for before the next look."""
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
        subjects = ("job:*", "queue") if self._show is None else ("job:*", "queue", "task:*")
        async with self._app.hearing(subject=subjects) as hints:
            self._hints = hints
            while not self._is_stopped:
                ended = await self._looked()
                if ended is not None:
                    return ended
                await self._pause(hints)
        return Ended.STOPPED

    async def _pause(self, hints: Hints) -> None:
        """Wait for the next look; news and an answer at the desk end the wait."""
        is_calm = hints.is_live and self._idle_since is None and self._alone_since is None
        seconds = self._asked_to_wait or (LIVE_SECONDS if is_calm else POLL_SECONDS)
        waits = [hints.wait(seconds)]
        if self._desk is not None and self._desk.is_asking():
            waits.append(self._desk.wait_answer())
        await first_of(*waits)

    async def _looked(self) -> Ended | None:
        """Tell what is new, and return whether that was all."""
        try:
            await self._take_answers()
            await self._tell_news()
            now = await self._outlook()
        except RateLimitedError as exc:  # nothing is missed by it
            self._asked_to_wait = exc.retry_after_seconds or LIVE_SECONDS
            return None
        except ServiceUnreachableError as exc:
            if not self._is_away:
                self._say(self._app.clock.now(), str(exc))
            self._is_away = True
            return None
        self._asked_to_wait = 0.0
        if self._is_away:
            self._say(now.at, "the service answers again")
        self._is_away = False
        if not now.leader:
            return self._alone(now)
        self._alone_since, self._said_alone = None, False
        return Ended.DRAINED if self._is_over(now) and not self._watch else None

    async def _outlook(self) -> Outlook:
        """Return what comes next; show what is known, and put what a person may decide on."""
        if self._show is None and self._desk is None:
            return await self._app.outlook()
        board = await self._app.board()
        if self._show is not None:
            self._show(board.snapshot)
        if self._desk is not None:
            self._desk.keep_only([question.plan.fingerprint for question in board.questions])
            for question in board.questions:
                self._desk.ask(question)
        return board.outlook

    async def _take_answers(self) -> None:
        """Let the service do what the person decided at the desk."""
        for given in () if self._desk is None else self._desk.take_answers():
            question, plan = given.question, given.question.plan.fingerprint
            if given.answer == "skip":
                continue
            # The worker does something about it: what it said before holds no more.
            self._idle_since, self._drained = None, False
            try:
                if given.answer == "decline":
                    await self._app.tasks.decline_plan(question.task_id, plan)  # an event says so
                else:
                    await self._app.tasks.approve_plan(question.task_id, expected_plan=plan)
                    rule = "you approved it"
                    self._say_of(question, f"plan approved ({rule})", rule)
            except JulesManagerError as exc:
                verb = "declined" if given.answer == "decline" else "approved"
                self._say_of(question, f"its plan was not {verb}: {exc}", "")

    def _is_over(self, now: Outlook) -> bool:
        """Return whether nothing moves, surely.

        What a person did just before we came is seen by the worker a little later. When it says
        itself that nothing can move, that is known at once.
        """
        if now.may_move or (self._desk is not None and self._desk.is_asking()):
            self._idle_since = None
            self._drained = self._drained and not now.may_move
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

    def _say_of(self, question: PlanQuestion, text: str, rule: str) -> None:
        self._report(
            Progress(at=self._app.clock.now(), job_key=question.job.key, text=text, rule=rule)
        )

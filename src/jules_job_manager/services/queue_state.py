"""What a queue run writes and says: jobs with their attempts, events, progress for people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.errors import JulesManagerError, StoreError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.quota_ledger import LedgerEntry
from jules_job_manager.ports.store import Store
from jules_job_manager.services.backlog_change import ImportReport
from jules_job_manager.services.backlog_sync import BacklogSync

_LOG = logging.getLogger(__name__)
_TRIES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Something a person watching wants to know. `job_key` is empty for the run itself."""

    at: datetime
    job_key: str
    text: str
    rule: str = ""


class QueueState:
    """Writes the state of jobs, never over what another program changed meanwhile."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        report: Callable[[Progress], None],
        documents: BacklogSync | None = None,
    ) -> None:
        """Bind the store, the clock, who is told, and what reads and writes documents."""
        self.store = store
        self.jobs = store.jobs
        """The jobs; fenced once `hold` was called."""
        self.clock = clock
        self._report = report
        self._documents = documents
        self._changed: set[str] = set()
        self._told: dict[str, str] = {}

    def hold(self, lease: Lease) -> None:
        """Write from now on only while the lease holds."""
        self.jobs = self.store.jobs.fenced(lease)

    async def write(
        self,
        job: Job,
        change: Callable[[Job], Job],
        rule: str,
        *,
        attempt: Attempt | None = None,
        events: Sequence[NewEvent] = (),
    ) -> Job | None:
        """Change the job as it stands now, and its attempt with it, in one transaction.

        Returns:
            The job as written; None when it is no longer in the queue.

        Raises:
            StoreError: it keeps changing, or would have two live attempts.
        """
        for _ in range(_TRIES):
            before = await self.jobs.get_job(job.key)
            if before is None:
                return None
            after = change(before)
            if after == before and attempt is None and not events:
                return after
            if await self.swap(before, after, rule, attempt=attempt, events=events):
                return after
        raise StoreError(f"Job {job.key} keeps changing; try again in a moment.")

    async def swap(
        self,
        before: Job,
        after: Job,
        rule: str,
        *,
        attempt: Attempt | None = None,
        events: Sequence[NewEvent] = (),
        starts: Sequence[LedgerEntry] = (),
    ) -> bool:
        """Write `after` if the job still is `before`; return whether it was."""
        told = list(events)
        if (before.status, before.reason) != (after.status, after.reason):
            told.append(self._state_changed(before, after, rule))
        attempts = [] if attempt is None else [attempt]
        done = await self.jobs.swap_jobs(
            {before.key: before}, [after], attempts=attempts, events=told, starts=starts
        )
        if done:
            self._changed.add(after.backlog)
        return done

    async def swap_many(self, changes: Sequence[tuple[Job, Job, str]]) -> bool:
        """Write many jobs, each with its rule, in one transaction; False when one has changed."""
        events = [self._state_changed(before, after, rule) for before, after, rule in changes]
        done = await self.jobs.swap_jobs(
            {before.key: before for before, _, _ in changes},
            [after for _, after, _ in changes],
            events=events,
        )
        if done:
            self._changed |= {after.backlog for _, after, _ in changes}
        return done

    def _state_changed(self, before: Job, after: Job, rule: str) -> NewEvent:
        words = {"before": before.status.value, "after": after.status.value}
        return self.event(
            EventType.JOB_STATE_CHANGED, after.key, rule=rule, reason=after.reason, **words
        )

    async def set_status(self, job: Job, status: JobStatus, reason: str, rule: str) -> bool:
        """Say where the job stands; return whether that is new."""
        if (job.status, job.reason) == (status, reason):
            return False
        await self.write(job, lambda now: replace(now, status=status, reason=reason), rule)
        if status is JobStatus.NEEDS_YOU:
            self.say(job.key, f"needs you: {reason}", rule)
        return True

    async def read_documents(self, paths: Iterable[str]) -> bool:
        """Bring in edits of these documents; return whether there were any."""
        if self._documents is None:
            return False
        news = False
        for path in sorted(set(paths) - {""}):
            try:
                report = await self._documents.bring_in(path)
            except JulesManagerError as exc:
                self._say_of(path, f"the edited backlog {path} cannot be used: {exc}")
                continue
            if report is not None:
                news = True
                self._say_of(path, _edits_text(report))
        return news

    async def write_documents(self) -> None:
        """Bring the documents of changed jobs up to date; what fails is said once."""
        paths, self._changed = self._changed - {""}, set()
        if self._documents is None:
            return
        for path in sorted(paths):
            try:
                report = await self._documents.write_back(path)
            except JulesManagerError as exc:
                said = f"the backlog {path} could not be brought up to date: {exc}"
                self._say_of(path, said)
            else:
                self._say_of(path, "" if report is None else _edits_text(report))

    def _say_of(self, path: str, said: str) -> None:
        """Say it of a document, once until it is something else; an empty text says nothing."""
        if said and self._told.get(path) != said:
            self.say("", said)
        self._told[path] = said

    def event(self, event_type: EventType, key: str, /, **data: Any) -> NewEvent:
        """Return an event about a job, as of now."""
        return NewEvent(type=event_type, subject=f"job:{key}", at=self.clock.now(), data=data)

    def say(self, job_key: str, text: str, rule: str = "") -> None:
        """Tell whoever watches, and the log."""
        _LOG.info("%s: %s", job_key or "queue", text, extra={"action": "queue_run", "rule": rule})
        self._report(Progress(at=self.clock.now(), job_key=job_key, text=text, rule=rule))


def _edits_text(report: ImportReport) -> str:
    """Return what came of an edited document; empty when the queue had it all already."""
    said = [f"{', '.join(report.added)} added"] if report.added else []
    said += [f"{', '.join(report.changed)} changed"] if report.changed else []
    said += [f"{', '.join(report.kept)} gone from it, but kept"] if report.kept else []
    return f"the backlog {report.backlog} was edited: {'; '.join(said)}" if said else ""

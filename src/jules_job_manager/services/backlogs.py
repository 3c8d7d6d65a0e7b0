"""Backlogs and the queue: importing documents, writing progress back, exporting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from jules_job_manager.domain.backlog import JobProgress
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.errors import BacklogError
from jules_job_manager.ports.backlog_documents import BacklogDocuments
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.job_store import BacklogQuery, JobQuery, JobStore
from jules_job_manager.services.backlog_change import (
    Change,
    ImportReport,
    Place,
    change_of,
    has_begun,
)
from jules_job_manager.services.backlog_file import read_file, replace_file

_WRITE_TRIES = 5
_SWAP_TRIES = 20


class BacklogService:
    """Documents on one side, the queue on the other."""

    def __init__(
        self, *, documents: BacklogDocuments, jobs: JobStore, clock: Clock, actor: str = "jjm"
    ) -> None:
        """Bind the document format and the store; `actor` is who events name."""
        self._documents = documents
        self._jobs = jobs
        self._clock = clock
        self._actor = actor

    async def import_backlog(
        self,
        *,
        path: str,
        content: bytes,
        repository: str = "",
        base_branch: str = "",
        moved_from: str = "",
        dry_run: bool = False,
        removes: bool = True,
    ) -> ImportReport:
        """Put the document's jobs into the queue.

        A job that has begun keeps its status, task and dates; its text is brought up to date.
        Dependencies may name jobs of other documents already in the queue.

        Args:
            path: Absolute path of the document: the backlog's name in the queue.
            content: Its bytes.
            repository: `owner/name` for its jobs; empty keeps what they had.
            base_branch: Branch they start from; empty keeps what they had.
            moved_from: Absolute path that the document had before; its jobs go along.
            dry_run: Only say what would happen.
            removes: Let jobs that were never begun leave the queue when they left the document.

        Raises:
            BacklogError: the document cannot be used, a key belongs to another document, or
                dependencies are missing or circular. Nothing is changed then.
        """
        backlog = self._documents.read(content)
        place = Place(
            path=path, moved_from=moved_from, repository=repository, base_branch=base_branch
        )
        for _ in range(_SWAP_TRIES):
            stored = {job.key: job for job in await self._jobs.list_jobs()}
            begun = {attempt.job_key for attempt in await self._jobs.list_attempts()}
            begun |= {key for key, job in stored.items() if has_begun(job)}
            change = change_of(backlog, stored, begun, place, removes=removes)
            if dry_run or await self._saved(change, stored):
                return change.report
        raise BacklogError(
            "The queue keeps changing while the document is read into it.",
            hint="Try again in a moment; nothing was changed.",
        )

    async def _saved(self, change: Change, stored: Mapping[str, Job]) -> bool:
        """Write the change in one transaction; False when the queue moved on meanwhile."""
        now = self._clock.now()
        report = change.report
        changed = [
            replace(job, queued_at=job.queued_at or now)
            for job in change.jobs
            if stored.get(job.key) != job
        ]
        events = [
            NewEvent(
                type=EventType.BACKLOG_IMPORTED, subject=f"backlog:{report.backlog}", at=now,
                actor=self._actor, data={"changed": len(changed), "removed": list(report.removed)},
            )
        ]  # fmt: skip
        events += [
            NewEvent(
                type=EventType.JOB_STATE_CHANGED, subject=f"job:{job.key}", at=now,
                actor=self._actor,
                data={"from": stored[job.key].status.value, "to": job.status.value},
            )
            for job in changed
            if job.key in stored and stored[job.key].status is not job.status
        ]  # fmt: skip
        touched = [job.key for job in changed] + list(report.removed)
        return await self._jobs.swap_jobs(
            {key: stored.get(key) for key in touched},
            changed,
            removed=report.removed,
            events=events,
        )

    async def backlogs(self) -> tuple[str, ...]:
        """Return the paths of the documents in the queue."""
        found = await self._jobs.page_backlogs(BacklogQuery(limit=None))
        return tuple(backlog.name for backlog in found.items if backlog.name)

    async def exported(self, path: str, content: bytes | None = None) -> bytes:
        """Return the document at `path` with the queue's progress put in; the file stays as it is.

        Jobs that are no longer in the document are left out.

        Args:
            path: The backlog's name in the queue.
            content: The document's bytes; None: those of the file at `path`.

        Raises:
            BacklogError: the file is gone or is no backlog any more.
        """
        if content is None:
            content = read_file(path)
        return self._written(content, await self._progress(path))[0]

    async def write_back(
        self,
        path: str,
        *,
        may_write: Callable[[bytes], Awaitable[bool]] | None = None,
        wrote: Callable[[bytes], Awaitable[None]] | None = None,
    ) -> bool:
        """Put the queue's progress into the file at `path`; return whether it changed.

        The file is read just before and replaced as a whole, with its mode and owner. When
        someone else saves it meanwhile, their text is read again and nothing of it is lost.

        Args:
            path: Absolute path of the document.
            may_write: Asked with the file's bytes before they are replaced; on False they are
                read again.
            wrote: Told the bytes that the file has in the end.

        Raises:
            BacklogError: the file is gone or cannot be written; or jobs are no longer in it,
                which is said after the others were written.
        """
        for _ in range(_WRITE_TRIES):
            before = read_file(path)
            if may_write is not None and not await may_write(before):
                continue
            after, missing = self._written(before, await self._progress(path))
            changed = after != before
            if changed and not replace_file(path, before, after):
                continue
            if wrote is not None:
                await wrote(after)
            if missing:
                raise BacklogError(
                    f"The document no longer has {', '.join(missing)}.",
                    hint="Put the entry back, or import the document again.",
                    context={"keys": missing},
                )
            return changed
        raise BacklogError(
            f"{path} keeps changing while progress is written into it.",
            hint="Close the program that writes it; the queue itself has lost nothing.",
        )

    def _written(self, content: bytes, progress: Sequence[JobProgress]) -> tuple[bytes, list[str]]:
        """Return the document with progress put in, and the keys it no longer has."""
        try:
            return self._documents.write_back(content, progress), []
        except BacklogError as exc:
            missing = [str(key) for key in exc.context.get("keys", ())]
            left = [item for item in progress if item.key not in missing]
            if not missing or len(left) == len(progress):
                raise
            return self._documents.write_back(content, left), missing

    async def _progress(self, path: str) -> list[JobProgress]:
        today = self._clock.now().date()
        jobs = await self._jobs.list_jobs(JobQuery(backlog=path))
        return [progress_of(job, today) for job in jobs]


def progress_of(job: Job, today: date | None = None) -> JobProgress:
    """Return what a document should say of `job`; a job never begun changes nothing but its status."""
    begun = has_begun(job)
    note = f"merged as {job.merge_commit[:10]}" if job.merge_commit else job.reason
    return JobProgress(
        key=job.key,
        status=job.status,
        started_on=job.started_at.date() if job.started_at else None,
        finished_on=job.finished_at.date() if job.finished_at else None,
        note=note if begun and note else None,
        as_of=today,
        checked=frozenset(item.text for item in job.checklist if item.checked),
        unchecked=frozenset(
            item.text
            for item in job.checklist
            if not item.checked and job.status is JobStatus.CANCELLED
        ),
    )

"""Backlogs and the queue: importing documents, writing progress back, exporting."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jules_job_manager.domain.backlog import Backlog, JobProgress, Problem
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.graph import blockers, dependencies_of, find_faults
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.errors import BacklogError
from jules_job_manager.ports.backlog_documents import BacklogDocuments
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.job_store import JobQuery, JobStore

_WAITING = frozenset({JobStatus.READY, JobStatus.BLOCKED})
_WRITE_TRIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did (or would do). Keys stand in document order."""

    title: str
    backlog: str
    jobs: tuple[Job, ...]
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """No longer in the document, and never begun."""
    kept: tuple[str, ...] = ()
    """No longer in the document, but begun or finished, so they stay in the queue."""
    problems: tuple[Problem, ...] = ()


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
        dry_run: bool = False,
    ) -> ImportReport:
        """Put the document's jobs into the queue.

        A job that has begun keeps its status, task and dates; its text is brought up to date.
        Dependencies may name jobs of other documents already in the queue.

        Args:
            path: Absolute path of the document: the backlog's name in the queue.
            content: Its bytes.
            repository: `owner/name` for its jobs; empty keeps what they had.
            base_branch: Branch they start from; empty keeps what they had.
            dry_run: Only say what would happen.

        Raises:
            BacklogError: the document cannot be used, a key belongs to another document, or
                dependencies are missing or circular. Nothing is changed then.
        """
        backlog = self._documents.read(content)
        stored = {job.key: job for job in await self._jobs.list_jobs()}
        _refuse_foreign_keys(backlog, stored, path)
        keys = set(backlog.job_lines)
        gone = [job for job in stored.values() if job.backlog == path and job.key not in keys]
        removed = [job for job in gone if not has_begun(job)]
        left = {job.key for job in removed}
        others = {k: job for k, job in stored.items() if k not in keys and k not in left}
        _refuse_faults(backlog, others)
        merged = [
            _merged(job, stored.get(job.key), path, repository, base_branch) for job in backlog.jobs
        ]
        settled = settle_waiting([*others.values(), *merged])
        if not dry_run:
            await self._save(path, settled, stored, [job.key for job in removed])
        return ImportReport(
            title=backlog.title,
            backlog=path,
            jobs=tuple(job for job in settled if job.key in keys),
            added=tuple(job.key for job in merged if job.key not in stored),
            updated=tuple(job.key for job in merged if job.key in stored),
            removed=tuple(job.key for job in removed),
            kept=tuple(job.key for job in gone if has_begun(job)),
            problems=backlog.problems,
        )

    async def _save(
        self, path: str, jobs: Sequence[Job], stored: Mapping[str, Job], removed: Sequence[str]
    ) -> None:
        now = self._clock.now()
        changed = [job for job in jobs if stored.get(job.key) != job]
        events = [
            NewEvent(
                type=EventType.BACKLOG_IMPORTED, subject=f"backlog:{path}", at=now,
                actor=self._actor, data={"changed": len(changed), "removed": list(removed)},
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
        if removed:
            await self._jobs.delete_jobs(removed)
        await self._jobs.save_jobs(changed, events)

    async def backlogs(self) -> tuple[str, ...]:
        """Return the paths of the documents in the queue."""
        return tuple(
            dict.fromkeys(job.backlog for job in await self._jobs.list_jobs() if job.backlog)
        )

    async def exported(self, path: str) -> bytes:
        """Return the document at `path` with the queue's progress put in; the file stays as it is.

        Raises:
            BacklogError: the file is gone, or a job is no longer in it.
        """
        return self._documents.write_back(_read_file(path), await self._progress(path))

    async def write_back(self, path: str) -> bool:
        """Put the queue's progress into the file at `path`; return whether it changed.

        The file is read just before and replaced as a whole, with its mode. When someone else
        saves it meanwhile, their text is read again and nothing of it is lost.

        Raises:
            BacklogError: the file is gone or cannot be written, or a job is no longer in it.
        """
        progress = await self._progress(path)
        for _ in range(_WRITE_TRIES):
            before = _read_file(path)
            after = self._documents.write_back(before, progress)
            if after == before:
                return False
            if _replace_file(path, before, after):
                return True
        raise BacklogError(
            f"{path} keeps changing while progress is written into it.",
            hint="Close the program that writes it; the queue itself has lost nothing.",
        )

    async def _progress(self, path: str) -> list[JobProgress]:
        return [progress_of(job) for job in await self._jobs.list_jobs(JobQuery(backlog=path))]


def has_begun(job: Job) -> bool:
    """Whether the queue itself has worked on the job, so that its state outranks the document."""
    return (
        bool(job.task_id or job.merge_commit or job.started_at) or job.status is JobStatus.STARTING
    )


def progress_of(job: Job) -> JobProgress:
    """Return what a document should say of `job`; a job never begun changes nothing but its status."""
    begun = has_begun(job)
    note = f"merged as {job.merge_commit[:10]}" if job.merge_commit else job.reason
    return JobProgress(
        key=job.key,
        status=job.status,
        started_on=job.started_at.date() if job.started_at else None,
        finished_on=job.finished_at.date() if job.finished_at else None,
        note=note if begun and note else None,
        checked=frozenset(item.text for item in job.checklist if item.checked),
    )


def settle_waiting(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with ready and blocked told apart by what they depend on."""
    statuses = {job.key: job.status for job in jobs}
    return [_settled(job, statuses) if job.status in _WAITING else job for job in jobs]


def _settled(job: Job, statuses: Mapping[str, JobStatus]) -> Job:
    waits_for = blockers(job, statuses)
    if waits_for:
        return replace(job, status=JobStatus.BLOCKED, reason=f"waits for {', '.join(waits_for)}")
    return replace(job, status=JobStatus.READY, reason="")


def _merged(new: Job, old: Job | None, path: str, repository: str, base_branch: str) -> Job:
    job = replace(
        new,
        backlog=path,
        repository=repository or (old.repository if old else ""),
        base_branch=base_branch or (old.base_branch if old else ""),
    )
    if job.status is JobStatus.BLOCKED and not job.depends_on:
        job = replace(job, status=JobStatus.DRAFT, reason="the document calls it blocked")
    if old is None or not has_begun(old):
        return job
    return replace(
        job,
        status=old.status,
        reason=old.reason,
        task_id=old.task_id,
        merge_commit=old.merge_commit,
        started_at=old.started_at,
        finished_at=old.finished_at,
        checklist=tuple(
            replace(item, checked=item.checked or item.text in _ticked(old))
            for item in job.checklist
        ),
    )


def _ticked(job: Job) -> set[str]:
    return {item.text for item in job.checklist if item.checked}


def _refuse_foreign_keys(backlog: Backlog, stored: Mapping[str, Job], path: str) -> None:
    foreign = {
        key: stored[key].backlog
        for key in backlog.job_lines
        if key in stored and stored[key].backlog != path
    }
    if foreign:
        said = ", ".join(
            f"'{key}' (line {backlog.job_lines[key]}) is in {where or 'no document'}"
            for key, where in list(foreign.items())[:5]
        )
        raise BacklogError(
            f"The queue already has these keys from another document: {said}.",
            hint="Give the jobs other keys, or import the document they came from.",
            context={"keys": list(foreign)},
        )


def _refuse_faults(backlog: Backlog, others: Mapping[str, Job]) -> None:
    graph = dependencies_of([*others.values(), *backlog.jobs])
    faults = find_faults(graph)
    if faults.missing:
        said = "; ".join(
            f"'{key}'{_line(backlog, key)} depends on '{needed}'"
            for key, needed in faults.missing[:5]
        )
        raise BacklogError(
            f"Dependencies are missing: {said}, which is in no document of the queue.",
            hint="Correct the key, or first import the document that has it.",
            context={"missing": [list(pair) for pair in faults.missing]},
        )
    if faults.cycle:
        said = " → ".join(f"{key}{_line(backlog, key)}" for key in faults.cycle)
        raise BacklogError(
            f"Jobs wait for each other in a circle: {said}.",
            hint="Remove one of these dependencies.",
            context={"cycle": list(faults.cycle)},
        )


def _line(backlog: Backlog, key: str) -> str:
    return f" (line {backlog.job_lines[key]})" if key in backlog.job_lines else ""


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise BacklogError(
            f"The backlog document {path} cannot be read: {exc.strerror}.",
            hint="Put the file back, or import it from where it is now.",
            context={"backlog": path},
        ) from exc


def _replace_file(path: str, before: bytes, after: bytes) -> bool:
    """Replace the file's bytes at once; False (and nothing done) when it is not `before` any more."""
    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(after)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        if target.read_bytes() != before:
            return False
        temporary.replace(target)
        temporary = None
    except OSError as exc:
        raise BacklogError(
            f"Progress cannot be written into {path}: {exc.strerror}.",
            hint="Make the file and its folder writable; the queue itself has lost nothing.",
            context={"backlog": path},
        ) from exc
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return True

"""What importing a document makes of the queue. Pure: the document and the queue in, a change out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jules_job_manager.domain.backlog import Backlog, Problem
from jules_job_manager.domain.graph import (
    blockers,
    dependencies_of,
    find_faults,
    statuses_for_dependents,
)
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.errors import BacklogError

_WAITING = frozenset({JobStatus.READY, JobStatus.BLOCKED})
_OF_THE_QUEUE = (
    "queued_at", "held", "skipped", "pinned", "placed_rank", "place", "shares_files", "not_before",
    "schedule", "occurrence", "best_of",
)  # fmt: skip
"""What a document says nothing of, so that importing it again changes none of it."""
IN_PROGRESS_ELSEWHERE = (
    "the document calls it begun, but no task of it is known: name its task with "
    "jjm queue adopt KEY TASK, or set it to Ready in the document and import again"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did (or would do). Keys stand in document order."""

    title: str
    backlog: str
    jobs: tuple[Job, ...]
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    """In the queue already."""
    changed: tuple[str, ...] = ()
    """Those of them that are not as they were."""
    removed: tuple[str, ...] = ()
    """No longer in the document, and never begun."""
    kept: tuple[str, ...] = ()
    """No longer in the document, but they stay in the queue: begun or finished, or not to be removed."""
    problems: tuple[Problem, ...] = ()
    differences: tuple[Problem, ...] = ()
    """Where the document says something else of a begun job than the queue, whose word stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a document and its jobs belong."""

    path: str
    moved_from: str
    repository: str
    base_branch: str

    @property
    def paths(self) -> frozenset[str]:
        """All names that the document has had."""
        return frozenset({self.path, self.moved_from or self.path})


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What an import makes of the whole queue, and what is said about it."""

    jobs: tuple[Job, ...]
    report: ImportReport


def change_of(
    backlog: Backlog,
    stored: Mapping[str, Job],
    begun: set[str],
    place: Place,
    *,
    removes: bool = True,
) -> Change:
    """Return what importing `backlog` does to the queue.

    Args:
        backlog: What the document says.
        stored: The queue's jobs, by key.
        begun: Keys of those that the queue itself has worked on.
        place: Where the document and its jobs belong.
        removes: Whether jobs that were never begun and left the document leave the queue too.

    Raises:
        BacklogError: it contradicts the queue.
    """
    _refuse_unknown_move(stored, place)
    _refuse_foreign_keys(backlog, stored, place)
    keys = set(backlog.job_lines)
    gone = [job for job in stored.values() if job.backlog in place.paths and job.key not in keys]
    removed = {job.key: job for job in gone if removes and job.key not in begun}
    others = {k: job for k, job in stored.items() if k not in keys and k not in removed}
    others |= {job.key: replace(job, backlog=place.path) for job in gone if job.key in others}
    _refuse_faults(backlog, others)
    merged = []
    differences = []
    home = _common_home(stored, place)
    for job in backlog.jobs:
        old = stored.get(job.key)
        placed = replace(
            job,
            backlog=place.path,
            repository=place.repository or (home[0] if old is None else old.repository),
            base_branch=place.base_branch or (home[1] if old is None else old.base_branch),
            **({} if old is None else {name: getattr(old, name) for name in _OF_THE_QUEUE}),
        )
        if old is None or job.key not in begun:
            merged.append(_fresh(placed))
            continue
        merged.append(_brought_up(placed, old))
        said = _difference(job, merged[-1])
        differences += [Problem(line=backlog.job_lines[job.key], message=said)] if said else []
    settled = [
        _as_it_waited(job, stored.get(job.key))
        for job in settle_waiting([*others.values(), *merged])
    ]
    report = ImportReport(
        title=backlog.title,
        backlog=place.path,
        jobs=tuple(job for job in settled if job.key in keys),
        added=tuple(job.key for job in merged if job.key not in stored),
        updated=tuple(job.key for job in merged if job.key in stored),
        changed=tuple(j.key for j in settled if j.key in keys and stored.get(j.key, j) != j),
        removed=tuple(removed),
        kept=tuple(job.key for job in gone if job.key not in removed),
        problems=backlog.problems,
        differences=tuple(differences),
    )
    return Change(jobs=tuple(settled), report=report)


def has_begun(job: Job) -> bool:
    """Whether the queue itself has worked on the job, so that its state outranks the document."""
    return bool(job.task_id or job.merge_commit or job.started_at or job.finished_at)


def settle_waiting(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with ready and blocked told apart by what they depend on."""
    statuses = statuses_for_dependents(jobs)
    return [_settled(job, statuses) if job.status in _WAITING else job for job in jobs]


def _settled(job: Job, statuses: Mapping[str, JobStatus]) -> Job:
    waits_for = blockers(job, statuses)
    if waits_for:
        return replace(job, status=JobStatus.BLOCKED, reason=f"waits for {', '.join(waits_for)}")
    return replace(job, status=JobStatus.READY, reason="")


def _common_home(stored: Mapping[str, Job], place: Place) -> tuple[str, str]:
    """Return the repository and branch that all jobs of the document have; empty texts otherwise."""
    homes = {(j.repository, j.base_branch) for j in stored.values() if j.backlog in place.paths}
    return homes.pop() if len(homes) == 1 else ("", "")


def _as_it_waited(job: Job, old: Job | None) -> Job:
    """Return the job as it was when nothing is new but the words for what it waits for."""
    if old is None or job.status not in _WAITING or job.reason == old.reason:
        return job
    return old if replace(job, reason=old.reason) == old else job


def _fresh(job: Job) -> Job:
    """Return a job that the queue has not touched: the document alone says where it stands."""
    if job.status is JobStatus.BLOCKED and not job.depends_on:
        return replace(job, status=JobStatus.DRAFT, reason="the document calls it blocked")
    if job.status.holds_slot:
        return replace(job, reason=IN_PROGRESS_ELSEWHERE)
    return job


def _brought_up(job: Job, old: Job) -> Job:
    """Return a begun job: its state from the queue, its texts from the document.

    One that is complete in the document and not in the queue was done by a person.
    """
    known = {item.text: item for item in old.checklist}
    by_hand = job.status is JobStatus.DONE and old.status is not JobStatus.DONE
    return replace(
        job,
        status=JobStatus.DONE if by_hand else old.status,
        reason="the document calls it complete" if by_hand else old.reason,
        task_id=old.task_id,
        merge_commit=old.merge_commit,
        started_at=old.started_at,
        finished_at=old.finished_at,
        checklist=tuple(
            replace(item, checked=item.checked or known[item.text].checked,
                    evidence=known[item.text].evidence)
            if item.text in known else item
            for item in job.checklist
        ),
    )  # fmt: skip


def _difference(job: Job, kept: Job) -> str:
    """Return what to say when the document (`job`) calls a job over and the queue does not, or so."""
    if job.status is kept.status or not (job.status.is_final or kept.status.is_final):
        return ""
    said = f"{job.key}: the document says {job.status.value}, the queue {kept.status.value}, which stands"
    if kept.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
        return f"{said}; jjm queue retry '{job.key}' lets it run again"
    return said


def _refuse_unknown_move(stored: Mapping[str, Job], place: Place) -> None:
    if place.moved_from and all(job.backlog != place.moved_from for job in stored.values()):
        known = dict.fromkeys(job.backlog for job in stored.values() if job.backlog)
        raise BacklogError(
            f"The queue knows no document {place.moved_from}.",
            hint=f"It knows {', '.join(known)}." if known else "It has no jobs yet.",
        )


def _refuse_foreign_keys(backlog: Backlog, stored: Mapping[str, Job], place: Place) -> None:
    foreign = {
        key: stored[key].backlog
        for key in backlog.job_lines
        if key in stored and stored[key].backlog not in place.paths
    }
    if foreign:
        said = ", ".join(
            f"'{key}' (line {backlog.job_lines[key]}) is in {where or 'no document'}"
            for key, where in list(foreign.items())[:5]
        )
        raise BacklogError(
            f"The queue already has these keys from another document: {said}.",
            hint="Give the jobs other keys; or, if that document was moved here, import this one "
            f"with --moved-from {next(iter(foreign.values())) or 'OLD'}",
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

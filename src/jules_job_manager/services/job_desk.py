"""Jobs that are in no document: put into the queue, changed and taken out by a person or program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.graph import dependencies_of, find_faults
from jules_job_manager.domain.job import ChecklistItem, Job, JobStatus, Priority
from jules_job_manager.domain.job_keys import require_key
from jules_job_manager.domain.references import repository_from, require_branch
from jules_job_manager.errors import InvalidInputError, JobNotFoundError, OperationFailedError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.backlog_change import has_begun, settle_waiting

TEXTS = frozenset(
    {"title", "prompt", "priority", "depends_on", "repository", "base_branch", "branch"}
)
"""What a document says of its jobs, so that it cannot be changed elsewhere."""
_TRIES = 5
_WAITING = frozenset({JobStatus.DRAFT, JobStatus.BLOCKED, JobStatus.READY})


class JobDesk:
    """Puts jobs into the queue that no document has, and keeps the graph whole."""

    def __init__(self, *, store: Store, clock: Clock, actor: str) -> None:
        """Bind the store; `actor` is who events name."""
        self._store = store
        self._clock = clock
        self._actor = actor

    async def add(
        self,
        *,
        key: str,
        title: str = "",
        prompt: str = "",
        priority: Priority = Priority.MEDIUM,
        depends_on: Sequence[str] = (),
        repository: str = "",
        base_branch: str = "",
        branch: str = "",
        checklist: Sequence[str] = (),
        checks: Sequence[str] = (),
        estimate: str = "",
        may_be_there: bool = False,
    ) -> Job:
        """Put a job into the queue: a draft without a prompt, else ready or blocked.

        With `may_be_there` an earlier try may have put it in: if this very job is there, it is returned.

        Raises:
            InvalidInputError: the key is taken or cannot be one, a dependency is not there or closes a circle, or the
                repository or a branch cannot be one.
            OperationFailedError: the queue kept changing meanwhile.
        """
        new = Job(
            key=require_key(key),
            title=title or key,
            prompt=prompt,
            priority=priority,
            depends_on=tuple(dict.fromkeys(depends_on)),
            repository=repository_from(repository) if repository else "",
            base_branch=require_branch(base_branch) if base_branch else "",
            branch=require_branch(branch) if branch else "",
            checklist=tuple(ChecklistItem(text=text) for text in checklist),
            checks=tuple(checks),
            estimate=estimate,
            queued_at=self._clock.now(),
            status=JobStatus.READY if prompt.strip() else JobStatus.DRAFT,
        )
        for _ in range(_TRIES):
            every = {job.key: job for job in await self._store.jobs.list_jobs()}
            if may_be_there and key in every and _is_same(every[key], new):
                return every[key]
            if key in every:
                raise InvalidInputError(
                    f"The queue already has a job {key!r}.", hint="Give the new one another key."
                )
            placed = replace(new, position=sum(not job.backlog for job in every.values()))
            settled = self._settled(placed, every)
            if await self._written(
                None, settled, "added", expected=settled.depends_on, every=every
            ):
                return settled
        raise _busy(key)

    async def change(self, key: str, changes: Mapping[str, Any]) -> Job:
        """Change texts of a job that is in no document and has not begun.

        Args:
            key: Its exact key.
            changes: New values by name; see `TEXTS`.

        Raises:
            JobNotFoundError: there is none.
            InvalidInputError: a document has it, it has begun, or a value cannot be used.
            OperationFailedError: the queue kept changing meanwhile.
        """
        for _ in range(_TRIES):
            every = {job.key: job for job in await self._store.jobs.list_jobs()}
            before = self._own(every, key)
            if before.status not in _WAITING or has_begun(before):
                raise InvalidInputError(
                    f"{key} is {before.status.value}; its texts can no longer be changed."
                )
            after = self._settled(replace(before, **_checked(changes)), every)
            if after == before or await self._written(
                before, after, "edited", expected=after.depends_on, every=every
            ):
                return after
        raise _busy(key)

    async def remove(self, key: str) -> Job:
        """Take a job out that is in no document and has no task at work; return it.

        Raises:
            JobNotFoundError: there is none.
            InvalidInputError: a document has it, it is at work, or others depend on it.
        """
        every = {job.key: job for job in await self._store.jobs.list_jobs()}
        job = self._own(every, key)
        if job.status.holds_slot:
            raise InvalidInputError(
                f"{key} is {job.status.value}; it cannot be removed.",
                hint=f"End it with: jjm queue cancel '{key}'",
            )
        needed_by = [other.key for other in every.values() if key in other.depends_on]
        if needed_by:
            raise InvalidInputError(
                f"{', '.join(needed_by[:5])} depends on {key}.",
                hint="Remove what depends on it first.",
            )
        event = self._event(job, "removed")
        if not await self._store.jobs.swap_jobs({key: job}, [], removed=[key], events=[event]):
            raise _busy(key)
        return job

    def _own(self, every: Mapping[str, Job], key: str) -> Job:
        job = every.get(key)
        if job is None:
            raise JobNotFoundError(f"There is no job {key!r} in the queue.")
        if job.backlog:
            raise InvalidInputError(
                f"{key} is in the document {job.backlog}.",
                hint="Change it there and import the document again.",
            )
        return job

    def _settled(self, job: Job, every: Mapping[str, Job]) -> Job:
        """Return the job as ready, blocked or a draft, once the graph with it is whole."""
        graph = dependencies_of([*(j for k, j in every.items() if k != job.key), job])
        faults = find_faults(graph)
        mine = [needed for key, needed in faults.missing if key == job.key]
        if mine:
            raise InvalidInputError(f"{job.key} depends on {mine[0]!r}, which is not in the queue.")
        if job.key in faults.cycle:
            raise InvalidInputError(
                f"Jobs would wait for each other in a circle: {' → '.join(faults.cycle)}."
            )
        if not job.prompt.strip():
            return replace(job, status=JobStatus.DRAFT, reason="")
        waiting = replace(job, status=JobStatus.READY)
        around = [every[key] for key in job.depends_on]
        return next(j for j in settle_waiting([*around, waiting]) if j.key == job.key)

    async def _written(
        self,
        before: Job | None,
        after: Job,
        what: str,
        *,
        expected: Collection[str],
        every: Mapping[str, Job],
    ) -> bool:
        known: dict[str, Job | None] = {key: every[key] for key in expected}
        known[after.key] = before
        return await self._store.jobs.swap_jobs(known, [after], events=[self._event(after, what)])

    def _event(self, job: Job, what: str) -> NewEvent:
        return NewEvent(
            type=EventType.JOB_CHANGED, subject=f"job:{job.key}", at=self._clock.now(),
            actor=self._actor, data={"what": what, "after": job.status.value},
        )  # fmt: skip


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(changes)
    if found.get("repository"):
        found["repository"] = repository_from(found["repository"])
    for name in ("base_branch", "branch"):
        if found.get(name):
            found[name] = require_branch(found[name])
    if "depends_on" in found:
        found["depends_on"] = tuple(dict.fromkeys(found["depends_on"]))
    return found


def _busy(key: str) -> OperationFailedError:
    return OperationFailedError(
        f"The queue changed meanwhile; {key} is as it was.", hint="Try again."
    )


def _is_same(there: Job, new: Job) -> bool:
    """Whether a job in the queue is the one that is to be put in, wherever it has come to."""
    texts = ("title", "prompt", "priority", "repository", "base_branch", "branch")
    return not there.backlog and all(getattr(there, name) == getattr(new, name) for name in texts)

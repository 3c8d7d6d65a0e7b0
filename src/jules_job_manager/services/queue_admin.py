"""What a person does to the order and the pace of the queue. Every change is one guarded write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.queue_order import in_order, moved
from jules_job_manager.errors import InvalidInputError, OperationFailedError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.queue_look import PAUSED_BY_NOTE, PAUSED_NOTE
from jules_job_manager.services.recurrence import next_time

_WAITING = frozenset({JobStatus.DRAFT, JobStatus.BLOCKED, JobStatus.READY})
MOST_SIDE_BY_SIDE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What came of giving a job another place."""

    keys: Sequence[str]
    """Those that wait, in the new order."""
    was: int | None = None
    """The place, from 1, that the job had; None: a service did it, which does not say."""


class QueueAdmin:
    """Changes that only a person may make to waiting and running jobs."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ageing: timedelta,
        actor: str = "person",
        by: str = "",
        cancel_reviews: Callable[[Sequence[str]], Awaitable[int]] | None = None,
    ) -> None:
        """Bind the store.

        Args:
            store: Keeps the jobs.
            clock: Tells the time.
            ageing: That of the policy.
            actor: Who events name.
            by: Who is named where no reason is given; empty: the actor.
            cancel_reviews: Removes the reviews of attempts by their marks; None: from the line.
        """
        self._cancel_reviews = cancel_reviews
        self._store = store
        self._clock = clock
        self._ageing = ageing
        self._actor = actor
        self._by = by or actor

    async def hold(self, job: Job, reason: str | None = None) -> Job:
        """Keep the job from getting an attempt until it is released; None names who does.

        Raises:
            InvalidInputError: it is over, or the reason is empty.
        """
        require_open(job)
        return await self._write(job, replace(job, held=self._reason(reason)), "held")

    async def release(self, job: Job) -> Job:
        """Let a held job go on.

        Raises:
            InvalidInputError: it is not held.
        """
        if not job.held:
            raise InvalidInputError(f"{job.key} is not held.")
        return await self._write(job, replace(job, held=""), "released")

    async def pin(self, job: Job, *, pinned: bool) -> Job:
        """Let the job start before all that are not pinned, or no longer so.

        Raises:
            InvalidInputError: it is over.
        """
        require_open(job)
        return await self._write(
            job, replace(job, pinned=pinned), "pinned" if pinned else "unpinned"
        )

    async def move(self, job: Job, *, to: str, other: Job | None = None) -> Moved:
        """Give the job another place among those that wait.

        Args:
            job: A waiting job.
            to: `top`, `bottom`, `before` or `after`.
            other: The waiting job that it is to stand before or after.

        Raises:
            InvalidInputError: a job does not wait.
            OperationFailedError: the queue changed meanwhile.
        """
        now = self._clock.now()
        waiting = [j for j in await self._store.jobs.list_jobs() if j.status in _WAITING]
        line = in_order(waiting, now, self._ageing)
        keys = [j.key for j in line]
        for named in (job, *(() if other is None else (other,))):
            if named.key not in keys:
                raise InvalidInputError(
                    f"{named.key} is {named.status.value}; only jobs that wait have a place.",
                    hint=_next_step(named),
                )
        was = keys.index(job.key) + 1
        keys.remove(job.key)
        place = {"top": 0, "bottom": len(keys)}.get(to)
        if place is None:
            if other is None or other.key == job.key:
                raise InvalidInputError("Name another job to stand before or after.")
            place = keys.index(other.key) + (to == "after")
        changed = moved(line, job.key, to=place, now=now, ageing=self._ageing)
        before = {j.key: j for j in line}
        event = self._event(job, "moved", to=place)
        if not await self._store.jobs.swap_jobs(
            {j.key: before[j.key] for j in changed}, changed, events=[event]
        ):
            raise _changed(job)
        keys.insert(place, job.key)
        return Moved(keys=keys, was=was)

    async def skip(self, job: Job) -> Job:
        """Take a waiting job out; what depends on it does not wait for it.

        Raises:
            InvalidInputError: it does not wait.
        """
        if job.skipped and job.status is JobStatus.CANCELLED:
            return job
        if job.status not in _WAITING | {JobStatus.FAILED, JobStatus.CANCELLED}:
            raise InvalidInputError(
                f"{job.key} is {job.status.value}; only jobs without a task are skipped.",
                hint=None if job.status.is_final else f"End it with: jjm queue cancel '{job.key}'",
            )
        gone = replace(
            job, status=JobStatus.CANCELLED, reason="skipped by you", skipped=True,
            finished_at=self._clock.now(),
        )  # fmt: skip
        return await self._write(job, gone, "skipped")

    async def cancel(self, job: Job) -> tuple[Job, Sequence[Attempt]]:
        """Take the job out; return it with the attempts whose tasks are still at Jules.

        An attempt whose task is not known yet is ended by whoever runs the queue.

        Raises:
            InvalidInputError: it is over.
            OperationFailedError: it changed meanwhile.
        """
        require_open(job)
        now = self._clock.now()
        live = await self._store.jobs.list_attempts(job.key, live_only=True)
        known = [attempt for attempt in live if attempt.task_id]
        ended = [replace(a, state=AttemptState.ABANDONED, updated_at=now) for a in known]
        gone = replace(job, status=JobStatus.CANCELLED, reason="cancelled by you", finished_at=now)
        await self._write(job, gone, "cancelled", attempts=ended)
        remove = self._cancel_reviews or self._store.review_queue.remove
        await remove([attempt.mark for attempt in live])
        return gone, known

    async def plan(
        self,
        job: Job,
        *,
        not_before: datetime | None = None,
        schedule: str | None = None,
        best_of: int | None = None,
        shares_files: bool | None = None,
    ) -> Job:
        """Change when and how the job runs; None leaves a value as it is.

        Args:
            job: As stored.
            not_before: It does not start earlier.
            schedule: A cron expression (UTC); an empty text: once.
            best_of: Attempts made side by side, 1 to 10.
            shares_files: Whether it may run beside jobs that touch the same files.

        Raises:
            InvalidInputError: a value cannot be used.
        """
        if schedule is None or job.status is JobStatus.CANCELLED:
            require_open(job)
        changed = job
        if schedule is not None:
            first = next_time(schedule, self._clock.now()) if schedule else None
            changed = replace(changed, schedule=schedule, not_before=first)
        if not_before is not None:
            changed = replace(changed, not_before=not_before)
        if best_of is not None:
            if not 1 <= best_of <= MOST_SIDE_BY_SIDE:
                raise InvalidInputError(f"Attempts side by side are 1 to {MOST_SIDE_BY_SIDE}.")
            if job.status not in _WAITING:
                raise InvalidInputError(f"{job.key} is {job.status.value}; it has begun.")
            changed = replace(changed, best_of=best_of)
        if shares_files is not None:
            changed = replace(changed, shares_files=shares_files)
        return await self._write(job, changed, "planned")

    async def pause(self, reason: str | None = None) -> str:
        """Let no job get an attempt until `resume`; what runs goes on.

        Returns:
            The reason, which names who did it where none is given.

        Raises:
            InvalidInputError: the reason is empty.
        """
        said = self._reason(reason)
        await self._store.set_note(PAUSED_BY_NOTE, self._by)
        await self._store.set_note(PAUSED_NOTE, said)
        await self._tell_all("paused", said)
        return said

    async def resume(self) -> bool:
        """End a pause; False when there was none."""
        was = await self._store.get_note(PAUSED_NOTE)
        await self._store.set_note(PAUSED_NOTE, "")
        if was:
            await self._tell_all("resumed", "")
        return bool(was)

    def _reason(self, given: str | None) -> str:
        if given is None:
            return f"by {self._by}"
        if not given.strip():
            raise InvalidInputError(
                "The reason is empty.", hint="Leave it out, or say one in a few words."
            )
        return given.strip()

    async def _tell_all(self, what: str, reason: str) -> None:
        event = NewEvent(
            type=EventType.QUEUE_PAUSED, subject="queue", at=self._clock.now(), actor=self._actor,
            data={"what": what, "reason": reason},
        )  # fmt: skip
        await self._store.events.append([event])

    async def _write(
        self, before: Job, after: Job, what: str, attempts: Sequence[Attempt] = ()
    ) -> Job:
        if after == before and not attempts:
            return after
        event = self._event(before, what, before=before.status.value, after=after.status.value)
        if not await self._store.jobs.swap_jobs(
            {before.key: before}, [after], attempts=attempts, events=[event]
        ):
            raise _changed(before)
        return after

    def _event(self, job: Job, what: str, **data: Any) -> NewEvent:
        return NewEvent(
            type=EventType.JOB_CHANGED, subject=f"job:{job.key}", at=self._clock.now(),
            actor=self._actor, data={"what": what, **data},
        )  # fmt: skip


def require_open(job: Job) -> None:
    """Check that the job is not over.

    Raises:
        InvalidInputError: it is.
    """
    if job.status.is_final:
        raise InvalidInputError(
            f"{job.key} is {job.status.value}; there is nothing to change.", hint=_next_step(job)
        )


def _next_step(job: Job) -> str:
    if job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
        return f"Bring it back with: jjm queue retry '{job.key}'"
    return f"Look at it with: jjm queue show '{job.key}'"


def _changed(job: Job) -> OperationFailedError:
    return OperationFailedError(
        f"{job.key} changed meanwhile.", hint=f"Look with: jjm queue show '{job.key}'"
    )

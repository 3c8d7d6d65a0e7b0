"""What a person does to a job of the queue: give it a task that exists, let it run again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import InvalidInputError, OperationFailedError, PlanChangedError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.queue_look import DECLINED_NOTE, MERGE_NOTE


class Interventions:
    """Changes that only a person may make."""

    def __init__(self, *, store: Store, clock: Clock, actor: str = "person") -> None:
        """Bind the store; `actor` is who events name."""
        self._store = store
        self._clock = clock
        self._actor = actor

    async def adopt(self, job: Job, task_id: str, *, account: str = "default") -> Job:
        """Make an existing task the job's live attempt, as if the queue had created it.

        Args:
            job: As stored.
            task_id: Of a task that Jules is known to have.
            account: The account it is in.

        Raises:
            InvalidInputError: the job is done, or it or the task already has an attempt at work.
            OperationFailedError: the job changed meanwhile.
        """
        if job.status is JobStatus.DONE:
            raise InvalidInputError(f"{job.key} is done; it needs no task.")
        attempts = await self._store.jobs.list_attempts()
        for attempt in attempts:
            if attempt.state.is_live and attempt.job_key == job.key:
                raise InvalidInputError(
                    f"{job.key} already has {attempt.task_id or 'a task being created'} at work."
                )
            if attempt.task_id == task_id:
                raise InvalidInputError(
                    f"Task {task_id} already belongs to {attempt.job_key}.",
                    hint="`jjm list` shows the tasks.",
                )
        now = self._clock.now()
        attempt = Attempt(
            mark=uuid.uuid4().hex[:10],
            job_key=job.key,
            number=1 + max((a.number for a in attempts if a.job_key == job.key), default=0),
            state=AttemptState.LIVE,
            task_id=task_id,
            account=account,
            created_at=now,
            updated_at=now,
        )
        running = replace(
            job, status=JobStatus.RUNNING, reason="", task_id=task_id, finished_at=None,
            started_at=job.started_at or now,
        )  # fmt: skip
        return await self._write(job, running, "a person named its task", now, attempt)

    async def retry(self, job: Job) -> Job:
        """Let a failed or cancelled job have another attempt.

        Raises:
            InvalidInputError: it neither failed nor was cancelled, or has no prompt.
            OperationFailedError: the job changed meanwhile.
        """
        if job.status not in {JobStatus.FAILED, JobStatus.CANCELLED}:
            raise InvalidInputError(
                f"{job.key} is {job.status.value}; only failed and cancelled jobs run again."
            )
        if not job.prompt.strip():
            raise InvalidInputError(f"{job.key} has no prompt.", hint="Write one and import again.")
        ready = replace(job, status=JobStatus.READY, reason="", finished_at=None, skipped=False)
        return await self._write(job, ready, "a person asked for it", self._clock.now())

    async def approve_merge(self, job: Job) -> Review:
        """Let the delivery that was reviewed last be merged; the approval is of that commit alone.

        Raises:
            InvalidInputError: the job is over, or its latest review did not accept the delivery.
        """
        reviews = await self._store.jobs.list_reviews(job.key)
        live = {a.mark for a in await self._store.jobs.list_attempts(job.key) if a.state.is_live}
        mine = [review for review in reviews if review.mark in live]
        if job.status.is_final or not mine:
            raise InvalidInputError(f"{job.key} is {job.status.value}; nothing waits to be merged.")
        latest = max(mine, key=lambda review: (review.at is not None, review.at))
        if latest.verdict is not Verdict.ACCEPT:
            raise InvalidInputError(
                f"The delivery of {job.key} was not accepted.", hint=f"See: jjm review {job.key!r}"
            )
        event = NewEvent(
            type=EventType.MERGE_APPROVED, subject=f"job:{job.key}", at=self._clock.now(),
            actor=self._actor, data={"commit": latest.delivered_commit},
        )  # fmt: skip
        await self._store.set_note(MERGE_NOTE + latest.delivered_commit, job.key)
        await self._store.events.append([event])
        return latest

    async def decline_plan(self, task: JulesTask, plan: str) -> None:
        """Let the queue never approve this plan; Jules is told nothing, so say what to change.

        Args:
            task: As stored.
            plan: `Plan.fingerprint` of the plan that was shown.

        Raises:
            OperationFailedError: no plan waits for approval.
            PlanChangedError: another plan waits than the one shown.
        """
        if task.status is not TaskStatus.WAITING_APPROVAL or task.plan is None:
            raise OperationFailedError(
                f"Task {task.id} is not waiting for approval (it is {task.status.value}).",
                hint=f"See where it stands with: jjm get {task.id}",
            )
        if task.plan.fingerprint != plan:
            raise PlanChangedError(
                f"The plan of task {task.id} changed since it was shown.",
                hint=f"Look again with: jjm plan {task.id}",
            )
        attempts = await self._store.jobs.list_attempts(live_only=True)
        key = next((a.job_key for a in attempts if a.task_id == task.id), "")
        event = NewEvent(
            type=EventType.JOB_CHANGED, subject=f"job:{key}" if key else f"task:{task.id}",
            at=self._clock.now(), actor=self._actor, data={"what": "its plan was declined"},
        )  # fmt: skip
        await self._store.set_note(DECLINED_NOTE + plan, task.id)
        await self._store.events.append([event])

    async def sign(self, job: Job, line: int, evidence: str) -> Job:
        """Let a person answer for a line of the job's checklist.

        Args:
            job: As stored.
            line: Its number, from 1.
            evidence: What the person saw; not empty.

        Raises:
            InvalidInputError: there is no such line, or nothing was seen.
            OperationFailedError: the job changed meanwhile.
        """
        seen = checked_evidence(job, line, evidence)
        signed = replace(job.checklist[line - 1], checked=True, evidence=f"signed: {seen}")
        lines = (*job.checklist[: line - 1], signed, *job.checklist[line:])
        after = replace(job, checklist=lines)
        event = NewEvent(
            type=EventType.CHECKLIST_SIGNED, subject=f"job:{job.key}", at=self._clock.now(),
            actor=self._actor, data={"line": signed.text, "evidence": seen},
        )  # fmt: skip
        await self._swap(job, after, [event])
        return after

    async def _swap(
        self, before: Job, after: Job, events: Sequence[NewEvent], attempts: Sequence[Attempt] = ()
    ) -> None:
        if not await self._store.jobs.swap_jobs(
            {before.key: before}, [after], attempts=attempts, events=events
        ):
            raise OperationFailedError(
                f"{before.key} changed meanwhile.", hint=f"Look with: jjm queue show '{before.key}'"
            )

    async def _write(
        self, before: Job, after: Job, rule: str, now: datetime, attempt: Attempt | None = None
    ) -> Job:
        event = NewEvent(
            type=EventType.JOB_STATE_CHANGED, subject=f"job:{after.key}", at=now,
            actor=self._actor,
            data={"before": before.status.value, "after": after.status.value, "rule": rule},
        )  # fmt: skip
        await self._swap(before, after, [event], [] if attempt is None else [attempt])
        return after


def checked_evidence(job: Job, line: int, evidence: str) -> str:
    """Return what a person saw of a line of the job's checklist, on one line.

    Raises:
        InvalidInputError: there is no such line, or nothing was seen.
    """
    if not 1 <= line <= len(job.checklist):
        raise InvalidInputError(f"{job.key} has {len(job.checklist)} checklist lines, no {line}.")
    seen = " ".join(evidence.split())
    if not seen:
        raise InvalidInputError("Say what proves it, with --evidence.")
    return seen

"""Working through the queue: look, decide, do; again until nothing can move.

Nothing is remembered between two looks but rows, so the run may be ended at any instant and
started again. What would hurt if done twice is written down before it is done.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import Delivery, Review
from jules_job_manager.domain.task import JulesTask, NewTask, TaskStatus
from jules_job_manager.domain.task_view import latest_change_set
from jules_job_manager.errors import (
    BackendConnectionError,
    ForgeError,
    InvalidInputError,
    JulesManagerError,
    OperationFailedError,
    PreconditionFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.backend import Backend, Capability
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.review import Reviewer, feedback_for
from jules_job_manager.services.tasks import LAST_LOOK_NOTE, TaskService

_LOG = logging.getLogger(__name__)
QUOTA_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Something a person watching wants to know. `job_key` is empty for the run itself."""

    at: datetime
    job_key: str
    text: str
    rule: str = ""


class QueueRun:
    """One run over the jobs of a store."""

    def __init__(
        self,
        *,
        store: Store,
        backend: Backend,
        tasks: TaskService,
        reviewer: Reviewer,
        clock: Clock,
        policy: o.Policy,
        interval_seconds: float,
        report: Callable[[Progress], None],
        write_back: Callable[[str], Awaitable[object]] | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps jobs; must be a SQL store.
            backend: Where tasks are created.
            tasks: Reads tasks and keeps what was read.
            reviewer: Judges and merges deliveries.
            clock: Tells the time and waits.
            policy: What may be decided without a person.
            interval_seconds: Time between two looks, >= 0.
            report: Told of everything that happens.
            write_back: Called with a document's path when a job of it changed; None: never.
        """
        self._store = store
        self._backend = backend
        self._tasks = tasks
        self._reviewer = reviewer
        self._clock = clock
        self._policy = policy
        self._interval = interval_seconds
        self._report = report
        self._write_back = write_back
        self._holds_until: datetime | None = None
        self._deliveries: dict[str, Delivery] = {}
        self._changed: set[str] = set()

    async def run(self) -> tuple[Job, ...]:
        """Work until nothing can move without a person; return the jobs as they then stand."""
        while True:
            snapshot = await self._look()
            if snapshot is not None:
                actions = o.decide(snapshot, self._clock.now(), self._policy)
                for action in actions:
                    await self._perform(action)
                await self._write_documents()
                if not actions and not o.may_still_move(snapshot, self._policy):
                    return tuple(await self._store.jobs.list_jobs())
                if actions:
                    continue
            await self._clock.sleep(self._interval)

    async def _look(self) -> o.Snapshot | None:
        """Return what is known now, or None when Jules could not be looked at."""
        jobs = tuple(await self._store.jobs.list_jobs())
        attempts = tuple(await self._store.jobs.list_attempts())
        live = [a for a in attempts if a.state.is_live and a.task_id]
        by_key = {job.key: job for job in jobs}
        known: dict[str, Any] = {"tasks": {}, "deliveries": {}, "bases": {}, "reviews": {}}
        answered: set[str] = set()
        try:
            for attempt in live:
                job = by_key.get(attempt.job_key)
                if job is not None:
                    await self._look_at(job, attempt, known, answered)
        except (BackendConnectionError, QuotaExceededError, ForgeError) as exc:
            self._say("", f"last look failed: {exc}")
            return None
        await self._store.set_note(LAST_LOOK_NOTE, to_rfc3339(self._clock.now()))
        return o.Snapshot(
            jobs=jobs,
            attempts=attempts,
            answered=frozenset(answered),
            holds_until=self._holds_until,
            **known,
        )

    async def _look_at(
        self, job: Job, attempt: Attempt, known: dict[str, Any], answered: set[str]
    ) -> None:
        try:
            task = await self._tasks.get_task(attempt.task_id)
        except TaskNotFoundError:
            gone = JulesTask(id=attempt.task_id, status=TaskStatus.CANCELLED, raw_state="deleted")
            known["tasks"][attempt.task_id] = gone
            return
        known["tasks"][task.id] = task
        if task.status is not TaskStatus.COMPLETED:
            return
        activities = await self._store.tasks.list_activities(task.id)
        found = await self._reviewer.find_delivery(job, task, latest_change_set(task, activities))
        commit = o.NOTHING_DELIVERED if found is None else found.commit
        known["deliveries"][attempt.mark] = commit
        if found is not None:
            self._deliveries[attempt.mark] = found
            base = await self._reviewer.base_commit(job)
            known["bases"][job.key] = base
            review = await self._reviewer.usable_review(attempt, commit, base)
            if review is not None:
                known["reviews"][attempt.mark] = review
        if _finished_after_last_message(activities):
            answered.add(attempt.mark)

    async def _perform(self, action: o.Action) -> None:
        """Do one action. What fails is told and tried again after the next look."""
        job = await self._store.jobs.get_job(action.job_key)
        if job is None:
            return
        try:
            if isinstance(action, o.SetStatus):
                await self._set_status(job, action.status, action.reason, action.rule)
            elif isinstance(action, o.Dispatch):
                await self._dispatch(job, action)
            else:
                await self._perform_on_attempt(job, action)
        except QuotaExceededError as exc:
            wait = exc.retry_after_seconds
            pause = QUOTA_PAUSE if wait is None else timedelta(seconds=wait)
            self._holds_until = self._clock.now() + pause
            self._say(job.key, f"{exc} Waiting until {self._holds_until:%H:%M} UTC.")
        except (BackendConnectionError, PreconditionFailedError, ForgeError) as exc:
            self._say(job.key, f"did not work, will be tried again: {exc}")
            await self._clock.sleep(self._interval)
        except (OperationFailedError, InvalidInputError) as exc:
            await self._set_status(job, JobStatus.NEEDS_YOU, str(exc), "Jules refused")

    async def _perform_on_attempt(self, job: Job, action: o.Action) -> None:
        assert isinstance(action, o.AttemptAction)
        attempt = await self._attempt(job.key, action.mark)
        if attempt is None or not attempt.state.is_live:
            return
        if isinstance(action, o.Settle):
            await self._settle(job, attempt, may_create=action.may_create)
        elif isinstance(action, o.Approve):
            await self._tasks.approve_plan(attempt.task_id, expected_plan=action.fingerprint)
            await self._set_status(job, JobStatus.RUNNING, "", action.rule)
            self._say(job.key, "plan approved", action.rule)
        elif isinstance(action, o.Answer):
            await self._tasks.send_message(attempt.task_id, action.text)
            self._say(job.key, "question answered", action.rule)
        elif isinstance(action, o.RunReview):
            await self._review(job, attempt)
        elif isinstance(action, o.SendFeedback):
            await self._send_feedback(job, attempt, action)
        elif isinstance(action, o.Merge):
            await self._merge(job, attempt)
        elif isinstance(action, o.Retry | o.Fail):
            await self._end_attempt(job, attempt, action)

    async def _dispatch(self, job: Job, action: o.Dispatch) -> None:
        mark = uuid.uuid4().hex[:10]
        now = self._clock.now()
        attempt = Attempt(
            mark=mark, job_key=job.key, number=action.number, created_at=now, updated_at=now
        )
        starting = replace(
            job, status=JobStatus.STARTING, reason="", started_at=job.started_at or now
        )
        event = self._event(
            EventType.ATTEMPT_STARTED, job.key, mark=mark, number=action.number, rule=action.rule
        )
        await self._store.jobs.save_attempt(attempt, job=starting, events=[event])
        self._changed.add(job.backlog)
        await self._create(starting, attempt)

    async def _create(self, job: Job, attempt: Attempt) -> None:
        try:
            task = await self._tasks.create_task(self._new_task(job, attempt))
        except (UnclearOutcomeError, PreconditionFailedError) as exc:
            self._say(
                job.key, f"no clear answer to creating its task ({exc}); looking for it first"
            )
            await self._touch(attempt)
            return
        except QuotaExceededError:
            await self._touch(attempt)
            raise
        except (InvalidInputError, OperationFailedError) as exc:
            ended = replace(attempt, state=AttemptState.FAILED, updated_at=self._clock.now())
            failed = replace(
                job, status=JobStatus.FAILED, reason=str(exc), finished_at=self._clock.now()
            )
            await self._save(failed, ended, "Jules refused the task")
            return
        await self._adopt(job, attempt, task.id)

    async def _adopt(self, job: Job, attempt: Attempt, task_id: str) -> None:
        live = replace(
            attempt, state=AttemptState.LIVE, task_id=task_id, updated_at=self._clock.now()
        )
        running = replace(job, status=JobStatus.RUNNING, reason="", task_id=task_id)
        await self._save(running, live, "its task exists")
        self._say(job.key, f"task {task_id} created (attempt {attempt.number})", "dispatch")

    async def _settle(self, job: Job, attempt: Attempt, *, may_create: bool) -> None:
        for task in await self._backend.list_tasks(include_archived=True, limit=200):
            if (
                _mark_text(attempt.mark) in task.title
                or _mark_text(attempt.mark) in task.description
            ):
                await self._adopt(job, attempt, task.id)
                return
        if may_create:
            await self._create(job, attempt)
        else:
            await self._clock.sleep(max(self._interval, 1.0))

    async def _review(self, job: Job, attempt: Attempt) -> None:
        delivery = self._deliveries[attempt.mark]
        self._say(
            job.key, f"checking {delivery.branch or 'its patch'} ({delivery.commit[:8]})", "review"
        )
        review = await self._reviewer.review(job, attempt, delivery)
        await self._store.events.append(
            [self._event(EventType.REVIEW_FINISHED, job.key, **review.to_dict())]
        )
        failed = [check.name for check in review.checks if check.conclusion.value != "success"]
        self._say(
            job.key, f"rejected: {', '.join(failed)}" if failed else "every check passed", "review"
        )

    async def _send_feedback(self, job: Job, attempt: Attempt, action: o.SendFeedback) -> None:
        review = await self._review_of(job.key, action.commit)
        text = feedback_for(review.checks) if review is not None else (
            "You finished without delivering a branch or a change. Please do the work and commit it."
        )  # fmt: skip
        # Written before it is sent: a message sent twice confuses more than one sent late.
        sent = replace(
            attempt,
            delivered_commit=action.commit,
            feedback_rounds=attempt.feedback_rounds + 1,
            updated_at=self._clock.now(),
        )
        reason = f"repairs after feedback (round {sent.feedback_rounds})"
        await self._save(replace(job, status=JobStatus.RUNNING, reason=reason), sent, action.rule)
        try:
            await self._tasks.send_message(attempt.task_id, text)
        except UnclearOutcomeError as exc:
            self._say(job.key, f"feedback may not have arrived: {exc}")
        except BackendConnectionError:
            await self._save(job, attempt, "the feedback was not sent")
            raise
        event = self._event(EventType.FEEDBACK_SENT, job.key, task_id=attempt.task_id, text=text)
        await self._store.events.append([event])
        self._say(job.key, f"sent back to Jules, round {sent.feedback_rounds}", action.rule)

    async def _merge(self, job: Job, attempt: Attempt) -> None:
        delivery = self._deliveries[attempt.mark]
        review = await self._review_of(job.key, delivery.commit)
        if review is None:
            return
        commit = await self._reviewer.merge(job, attempt, delivery, review.base_commit)
        if commit is None:
            self._say(job.key, "the base moved; it will be checked again")
            return
        now = self._clock.now()
        done = replace(job, status=JobStatus.DONE, reason="", merge_commit=commit, finished_at=now)
        ended = replace(
            attempt, state=AttemptState.ACCEPTED, delivered_commit=delivery.commit, updated_at=now
        )
        event = self._event(EventType.MERGED, job.key, commit=commit, base=review.base_commit)
        await self._store.events.append([event])
        await self._save(done, ended, "every check passed")
        self._say(job.key, f"merged into {job.base_branch} as {commit[:8]}", "merge")

    async def _end_attempt(self, job: Job, attempt: Attempt, action: o.Retry | o.Fail) -> None:
        ended = replace(attempt, state=AttemptState.FAILED, updated_at=self._clock.now())
        if isinstance(action, o.Retry):
            changed = replace(
                job, status=JobStatus.READY, reason=f"another attempt: {action.reason}"
            )
        else:
            now = self._clock.now()
            changed = replace(job, status=JobStatus.FAILED, reason=action.reason, finished_at=now)
        await self._save(changed, ended, action.rule)
        self._say(job.key, f"attempt {attempt.number} ended: {action.reason}", action.rule)

    async def _set_status(self, job: Job, status: JobStatus, reason: str, rule: str) -> None:
        changed = replace(job, status=status, reason=reason)
        if changed == job:
            return
        await self._store.jobs.save_jobs([changed], [self._state_event(job, changed, rule)])
        self._changed.add(job.backlog)
        if status is JobStatus.NEEDS_YOU:
            self._say(job.key, f"needs you: {reason}", rule)

    async def _save(self, job: Job, attempt: Attempt, rule: str) -> None:
        before = await self._store.jobs.get_job(job.key)
        event = self._state_event(before or job, job, rule)
        await self._store.jobs.save_attempt(attempt, job=job, events=[event])
        self._changed.add(job.backlog)

    async def _touch(self, attempt: Attempt) -> None:
        await self._store.jobs.save_attempt(replace(attempt, updated_at=self._clock.now()))

    async def _attempt(self, job_key: str, mark: str) -> Attempt | None:
        found = await self._store.jobs.list_attempts(job_key)
        return next((attempt for attempt in found if attempt.mark == mark), None)

    async def _review_of(self, job_key: str, commit: str) -> Review | None:
        reviews = await self._store.jobs.list_reviews(job_key)
        return next((r for r in reversed(reviews) if r.delivered_commit == commit), None)

    async def _write_documents(self) -> None:
        paths, self._changed = self._changed - {""}, set()
        if self._write_back is None:
            return
        for path in sorted(paths):
            try:
                await self._write_back(path)
            except JulesManagerError as exc:
                self._say("", f"the backlog {path} was not written: {exc}")

    def _new_task(self, job: Job, attempt: Attempt) -> NewTask:
        mark = _mark_text(attempt.mark)
        whole = Capability.TITLES in self._backend.capabilities
        return NewTask(
            description=job.prompt if whole else f"{mark}\n{job.prompt}",
            title=f"{mark} {job.key}: {job.title}" if whole else None,
            repository=job.repository,
            branch=job.base_branch,
            require_plan_approval=self._policy.approve != "always",
        )

    def _state_event(self, before: Job, after: Job, rule: str) -> NewEvent:
        words = {"before": before.status.value, "after": after.status.value, "reason": after.reason}
        return self._event(EventType.JOB_STATE_CHANGED, after.key, rule=rule, **words)

    def _event(self, event_type: EventType, key: str, /, **data: Any) -> NewEvent:
        return NewEvent(type=event_type, subject=f"job:{key}", at=self._clock.now(), data=data)

    def _say(self, job_key: str, text: str, rule: str = "") -> None:
        _LOG.info("%s: %s", job_key or "queue", text, extra={"action": "queue_run", "rule": rule})
        self._report(Progress(at=self._clock.now(), job_key=job_key, text=text, rule=rule))


def _mark_text(mark: str) -> str:
    return f"[jjm:{mark}]"


def _finished_after_last_message(activities: Sequence[Activity]) -> bool:
    for activity in reversed(activities):
        if activity.kind is ActivityKind.SESSION_COMPLETED:
            return True
        if activity.kind is ActivityKind.USER_MESSAGED:
            return False
    return False

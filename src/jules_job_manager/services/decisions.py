"""What waits for a person: plans, questions, merges, lines to sign, and jobs that are stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.orchestration.deliveries import rule_on_merge
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.job_store import JobQuery
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.queue_look import MERGE_NOTE

MOST = 1000
"""Tasks of each status that are looked through."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """One thing that a person is to decide."""

    kind: str
    """`plan`, `question`, `merge`, `sign_off`, or `job`: something else, which `reason` says."""
    job_key: str = ""
    task_id: str = ""
    title: str = ""
    reason: str = ""
    since: datetime | None = None
    plan: str = ""
    """Fingerprint of the plan that waits."""
    commit: str = ""
    """The delivery that waits to be merged."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "kind": self.kind,
            "job_key": self.job_key,
            "task_id": self.task_id,
            "title": self.title,
            "reason": self.reason,
            "since": optional_to_rfc3339(self.since),
            "plan": self.plan,
            "commit": self.commit,
        }


async def waiting_decisions(store: Store, policy: Policy) -> list[Waiting]:
    """Return what waits for a person, from the store alone, those that wait longest first.

    Args:
        store: Must be a SQL store.
        policy: That of the queue; it says which merges are a person's.

    Raises:
        UnsupportedOperationError: the store keeps no queue.
        StoreError: the store failed.
    """
    attempts = await store.jobs.list_attempts(live_only=True)
    job_of = {attempt.task_id: attempt.job_key for attempt in attempts if attempt.task_id}
    found = []
    for status in (TaskStatus.WAITING_APPROVAL, TaskStatus.WAITING_FEEDBACK):
        page = await store.tasks.list_tasks(TaskQuery(status=status, limit=MOST))
        found += [_of_task(task, job_of.get(task.id, "")) for task in page.tasks]
    asked = {waiting.job_key for waiting in found if waiting.job_key}
    for job in await store.jobs.list_jobs(JobQuery(status=JobStatus.NEEDS_YOU)):
        if job.key not in asked:
            found.append(await _of_job(store, job, attempts, policy))
    return sorted(found, key=lambda waiting: (waiting.since is None, waiting.since))


def _of_task(task: JulesTask, job_key: str) -> Waiting:
    is_plan = task.status is TaskStatus.WAITING_APPROVAL
    return Waiting(
        kind="plan" if is_plan else "question",
        job_key=job_key,
        task_id=task.id,
        title=task.title,
        reason="its plan waits for approval" if is_plan else "Jules waits for an answer",
        since=task.updated_at or task.seen_at,
        plan=task.plan.fingerprint if is_plan and task.plan is not None else "",
    )


async def _of_job(store: Store, job: Job, attempts: Sequence[Attempt], policy: Policy) -> Waiting:
    live = {attempt.mark for attempt in attempts if attempt.job_key == job.key}
    reviews = [r for r in await store.jobs.list_reviews(job.key) if r.mark in live]
    latest = max(reviews, key=lambda r: (r.at is not None, r.at), default=None)
    kind, commit = "job", ""
    if latest is not None and latest.verdict is Verdict.ACCEPT and await _unapproved(store, latest):
        kind = "merge" if rule_on_merge(job, latest, policy)[1] else "sign_off"
        commit = latest.delivered_commit
    return Waiting(
        kind=kind, job_key=job.key, task_id=job.task_id, title=job.title, reason=job.reason,
        since=None if latest is None else latest.at, commit=commit,
    )  # fmt: skip


async def _unapproved(store: Store, review: Review) -> bool:
    return await store.get_note(MERGE_NOTE + review.delivered_commit) is None

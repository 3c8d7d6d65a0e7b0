"""What waits for a person: plans, questions, merges, lines to sign, and jobs that are stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.orchestration.deliveries import rule_on_merge
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.job_store import JobQuery
from jules_job_manager.ports.page import Page, cursor_after, place_after
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.queue_look import MERGE_NOTE

_AT_ONCE = 1000
"""Tasks that are read at once."""
DecisionKind = Literal["plan", "question", "job", "merge", "sign_off"]
DecisionSort = Literal["waiting", "-waiting"]
"""Those that wait longest first, or last. Of what has no time it is not known; it stands last, or first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """One thing that a person is to decide."""

    kind: DecisionKind
    """`job` is something else, which `reason` says."""
    repository: str = ""
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
            "repository": self.repository,
            "job_key": self.job_key,
            "task_id": self.task_id,
            "title": self.title,
            "reason": self.reason,
            "since": optional_to_rfc3339(self.since),
            "plan": self.plan,
            "commit": self.commit,
        }

    @property
    def place(self) -> tuple[bool, str, str, str, str]:
        """Where it stands among others; no two have the same."""
        since = optional_to_rfc3339(self.since)
        return (since is None, since or "", self.kind, self.task_id, self.job_key)

    def holds(self, text: str) -> bool:
        """Whether the text is in what a person reads of it, whatever the case of letters."""
        said = (self.job_key, self.task_id, self.title, self.reason)
        return any(text.casefold() in part.casefold() for part in said)


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionQuery:
    """Which of them to list. `limit` is 1 or more."""

    kind: DecisionKind | None = None
    repository: str | None = None
    search: str = ""
    sort: DecisionSort = "waiting"
    after: str | None = None
    """Cursor of the page before."""
    limit: int = 100

    def page(self, waiting: Sequence[Waiting]) -> Page[Waiting]:
        """Return the page of these.

        Raises:
            InvalidInputError: the cursor is none of this list.
        """
        turned = self.sort == "-waiting"
        last = None
        if self.after is not None:
            last = tuple(place_after(self.after, self.sort, bool, str, str, str, str))
        fitting = [
            one
            for one in sorted(waiting, key=lambda one: one.place, reverse=turned)
            if self.kind in {None, one.kind}
            and self.repository in {None, one.repository}
            and one.holds(self.search)
            and (last is None or (one.place < last if turned else one.place > last))
        ]
        shown = tuple(fitting[: self.limit])
        more = len(fitting) > self.limit
        following = cursor_after(self.sort, *shown[-1].place) if more else None
        return Page(items=shown, next_cursor=following)


async def waiting_decisions(store: Store, policy: Policy) -> list[Waiting]:
    """Return what waits for a person, from the store alone, in no order.

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
        after: str | None = None
        while True:
            query = TaskQuery(status=status, limit=_AT_ONCE, after=after)
            page = await store.tasks.list_tasks(query)
            found += [_of_task(task, job_of.get(task.id, "")) for task in page.tasks]
            after = page.next_cursor
            if after is None:
                break
    asked = {waiting.job_key for waiting in found if waiting.job_key}
    for job in await store.jobs.list_jobs(JobQuery(status=JobStatus.NEEDS_YOU)):
        if job.key not in asked:
            found.append(await _of_job(store, job, attempts, policy))
    return found


def _of_task(task: JulesTask, job_key: str) -> Waiting:
    is_plan = task.status is TaskStatus.WAITING_APPROVAL
    return Waiting(
        kind="plan" if is_plan else "question",
        repository=task.repository,
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
    kind: DecisionKind = "job"
    commit = ""
    if latest is not None and latest.verdict is Verdict.ACCEPT and await _unapproved(store, latest):
        kind = "merge" if rule_on_merge(job, latest, policy)[1] else "sign_off"
        commit = latest.delivered_commit
    return Waiting(
        kind=kind, repository=job.repository, job_key=job.key, task_id=job.task_id, title=job.title,
        reason=job.reason, since=None if latest is None else latest.at, commit=commit,
    )  # fmt: skip


async def _unapproved(store: Store, review: Review) -> bool:
    return await store.get_note(MERGE_NOTE + review.delivered_commit) is None

"""What the live board shows of a queue that another program runs: little, and read in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.clockwork import optional_from_rfc3339, optional_to_rfc3339
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.orchestration.actions import AskPlan
from jules_job_manager.domain.orchestration.plans import plan_action
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.quota import AccountUse
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.accounts import PlanChoice
from jules_job_manager.services.outlook import Outlook, outlook_of
from jules_job_manager.services.plan_desk import PlanQuestion
from jules_job_manager.services.queue_look import declined_plans
from jules_job_manager.services.queue_view import stored_snapshot

_JOB = ("key", "title", "status", "reason", "task_id", "merge_commit", "started_at", "finished_at")
"""What the board shows of a job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueBoard:
    """How the queue stands, what comes next, and which plans a person may decide on."""

    outlook: Outlook
    slots: int
    """The most tasks at once; 0: as many as the accounts allow."""
    snapshot: o.Snapshot
    """After `from_dict` with no more of jobs, attempts and tasks than the board shows."""
    questions: tuple[PlanQuestion, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        known = self.snapshot
        live = [attempt for attempt in known.attempts if attempt.state.is_live]
        told = {attempt.task_id for attempt in live} | {job.task_id for job in known.jobs}
        return {
            "outlook": self.outlook.to_dict(),
            "slots": self.slots,
            "paused": known.paused,
            "jobs": [_shown(job) for job in known.jobs],
            "attempts": [{"job": a.job_key, "mark": a.mark, "task_id": a.task_id} for a in live],
            "tasks": [
                {
                    "id": task.id, "status": task.status.value,
                    "updated_at": optional_to_rfc3339(task.updated_at),
                }
                for task in known.tasks.values()
                if task.id in told
            ],
            "accounts": [use.to_dict(self.outlook.at) for use in known.accounts.values()],
            "questions": [_asked(question) for question in self.questions],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        uses = [AccountUse.from_dict(use) for use in data["accounts"]]
        jobs = {found["key"]: _job(found) for found in data["jobs"]}
        attempts = tuple(
            Attempt(
                mark=found["mark"], job_key=found["job"], number=1, state=AttemptState.LIVE,
                task_id=found["task_id"],
            )
            for found in data["attempts"]
        )  # fmt: skip
        tasks = {
            found["id"]: JulesTask(
                id=found["id"], status=TaskStatus(found["status"]),
                updated_at=optional_from_rfc3339(found["updated_at"]),
            )
            for found in data["tasks"]
        }  # fmt: skip
        snapshot = o.Snapshot(
            jobs=tuple(jobs.values()), attempts=attempts, tasks=tasks, paused=data["paused"],
            accounts={use.name: use for use in uses},
        )  # fmt: skip
        questions = tuple(
            PlanQuestion(
                job=jobs.get(found["job"], Job(key=found["job"])), task_id=found["task_id"],
                plan=Plan.from_dict(found["plan"]), reason=found["reason"], rule=found["rule"],
            )
            for found in data["questions"]
        )  # fmt: skip
        return cls(
            outlook=Outlook.from_dict(data["outlook"]), slots=data["slots"], snapshot=snapshot,
            questions=questions,
        )  # fmt: skip


async def queue_board(
    store: Store,
    accounts: Mapping[str, tuple[str, PlanChoice]],
    clock: Clock,
    policy: o.Policy,
    *,
    interval_seconds: float,
    slots: int,
) -> QueueBoard:
    """Return the board; neither Jules nor git is asked.

    Args:
        store: Must be a SQL store.
        accounts: Name of the backend and limits, by account.
        clock: Tells the time.
        policy: What may be decided without a person.
        interval_seconds: Time between two looks of the worker.
        slots: The most tasks at once; 0: as many as the accounts allow.
    """
    snapshot = await stored_snapshot(store, accounts, clock)
    snapshot = replace(snapshot, declined=await declined_plans(store, snapshot.tasks.values()))
    return QueueBoard(
        outlook=await outlook_of(
            store, snapshot, clock.now(), policy, interval_seconds=interval_seconds
        ),
        slots=slots, snapshot=snapshot, questions=tuple(_questions(snapshot, policy)),
    )  # fmt: skip


def _questions(snapshot: o.Snapshot, policy: o.Policy) -> Sequence[PlanQuestion]:
    """Return the plans that are put to the person who watches, by the rules of a run."""
    jobs = {job.key: job for job in snapshot.jobs}
    found = []
    for attempt in snapshot.attempts:
        job, task = jobs.get(attempt.job_key), snapshot.tasks.get(attempt.task_id)
        if job is None or task is None or task.plan is None or not attempt.state.is_live:
            continue
        if task.status is not TaskStatus.WAITING_APPROVAL:
            continue
        action = plan_action(snapshot, job, attempt, task, policy)
        if isinstance(action, AskPlan):
            found.append(
                PlanQuestion(
                    job=job, task_id=task.id, plan=task.plan, reason=action.reason,
                    rule=action.rule,
                )
            )  # fmt: skip
    return found


def _shown(job: Job) -> dict[str, Any]:
    whole = job.to_dict()
    return {name: whole[name] for name in _JOB}


def _job(data: Mapping[str, Any]) -> Job:
    return Job(
        key=data["key"], title=data["title"], status=JobStatus(data["status"]),
        reason=data["reason"], task_id=data["task_id"], merge_commit=data["merge_commit"],
        started_at=optional_from_rfc3339(data["started_at"]),
        finished_at=optional_from_rfc3339(data["finished_at"]),
    )  # fmt: skip


def _asked(question: PlanQuestion) -> dict[str, Any]:
    return {
        "job": question.job.key, "task_id": question.task_id, "plan": question.plan.to_dict(),
        "fingerprint": question.plan.fingerprint, "reason": question.reason,
        "rule": question.rule,
    }  # fmt: skip

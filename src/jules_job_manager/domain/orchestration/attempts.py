"""What to do next for a live attempt whose task is known."""

from __future__ import annotations

from datetime import datetime, timedelta

from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.orchestration.actions import (
    Action,
    Nudge,
    Retry,
    Settle,
    Withdraw,
)
from jules_job_manager.domain.orchestration.deliveries import delivered, give_up
from jules_job_manager.domain.orchestration.plans import plan_action, question_action
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import Snapshot
from jules_job_manager.domain.orchestration.statuses import ask, running
from jules_job_manager.domain.orchestration.waits import waited
from jules_job_manager.domain.task import JulesTask, TaskStatus


def attempt_actions(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> list[Action]:
    """Return what to do for one live attempt, in order."""
    if not attempt.task_id:
        return [_settle(snapshot, job, attempt, now, policy)]
    if job.status.is_final or attempt.occurrence != job.occurrence:
        return [Withdraw(job_key=job.key, mark=attempt.mark, rule="its job is over",
                         reason=f"its job is {job.status.value}")]  # fmt: skip
    task = snapshot.tasks.get(attempt.task_id)
    if task is None:
        return []
    if attempt.mark in snapshot.refused:
        return [ask(job, snapshot.refused[attempt.mark])]
    if task.status is TaskStatus.COMPLETED:
        return delivered(snapshot, job, attempt, now, policy)
    return [_unfinished(snapshot, job, attempt, task, now, policy)]


def _settle(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> Settle:
    use = snapshot.accounts.get(attempt.account)
    refused = use is not None and use.refused_until is not None and now < use.refused_until
    surely = waited(snapshot, attempt, now, policy)
    over = job.status.is_final
    return Settle(
        job_key=job.key, mark=attempt.mark, rule="intent before task",
        may_create=surely and not over and not refused, give_up=surely and over,
    )  # fmt: skip


def _unfinished(
    snapshot: Snapshot, job: Job, attempt: Attempt, task: JulesTask, now: datetime, policy: Policy
) -> Action:
    match task.status:
        case TaskStatus.WAITING_APPROVAL:
            return plan_action(snapshot, job, attempt, task, policy)
        case TaskStatus.WAITING_FEEDBACK:
            return question_action(job, attempt, task, policy)
        case TaskStatus.FAILED | TaskStatus.CANCELLED:
            return give_up(job, attempt, f"Jules ended the task as {task.status.value}", policy)
    stalled = _stalled(snapshot, job, attempt, task, now, policy)
    if stalled is not None:
        return stalled
    if task.status is TaskStatus.PAUSED:
        return ask(job, f"its task is paused; go on with: jjm resume {task.id}")
    if task.status is TaskStatus.UNKNOWN:
        return running(job, f"Jules says {task.raw_state or 'nothing we know'}")
    return running(job)


def _stalled(
    snapshot: Snapshot, job: Job, attempt: Attempt, task: JulesTask, now: datetime, policy: Policy
) -> Action | None:
    """Return what to do about a task that has been silent too long, or None when it has not."""
    heard = snapshot.quiet_since.get(attempt.mark)
    if heard is None or not policy.stall_after:
        return None
    since = heard if attempt.nudged_at is None else max(heard, attempt.nudged_at)
    pause = policy.stall_after * (1 << min(attempt.nudges, 16))
    if now - since < pause:
        return None
    if attempt.nudges < policy.max_nudges:
        rule = f"silent for {_minutes(now - heard)} (queue.stall_after_minutes)"
        return Nudge(job_key=job.key, mark=attempt.mark, rule=rule, number=attempt.nudges + 1,
                     text=policy.nudge_text, quiet_since=heard)  # fmt: skip
    reason = f"stalled: silent for {_minutes(now - heard)} after {attempt.nudges} nudges"
    if attempt.tries < policy.max_attempts:
        return Retry(job_key=job.key, mark=attempt.mark, reason=reason, carry=True,
                     rule="queue.max_nudges is used up")  # fmt: skip
    return ask(job, f"stalled, also after {attempt.nudges} nudges: jjm get {task.id}")


def _minutes(span: timedelta) -> str:
    return f"{int(span.total_seconds() // 60)} min"

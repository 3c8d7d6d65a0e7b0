"""What a task looks like once its activities are known.

The REST API tells chat, plan and patches only as activities; the tickets' task carries them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet, SourceFile
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus

_CHAT_TYPES = {ActivityKind.USER_MESSAGED: "user", ActivityKind.AGENT_MESSAGED: "jules"}


def chat_of(activities: Iterable[Activity]) -> tuple[ChatMessage, ...]:
    """Return the conversation, oldest first."""
    return tuple(
        ChatMessage(content=a.message, timestamp=a.created_at, type=_CHAT_TYPES[a.kind])
        for a in activities
        if a.kind in _CHAT_TYPES
    )


def latest_plan(activities: Iterable[Activity]) -> Plan | None:
    """Return the plan that an approval would approve: the last one generated."""
    return next((a.plan for a in reversed(tuple(activities)) if a.plan is not None), None)


def latest_change_set(task: JulesTask, activities: Iterable[Activity]) -> ChangeSet | None:
    """Return the whole work as one patch: the task's own output, else the last in an activity.

    Change sets in activities are cumulative, so the last one is the whole.
    Source: Jules REST reference 4.5 and 4.6.
    """
    if task.change_set is not None and task.change_set.unidiff_patch:
        return task.change_set
    for activity in reversed(tuple(activities)):
        for artifact in reversed(activity.artifacts):
            if isinstance(artifact, ChangeSet) and artifact.unidiff_patch:
                return artifact
    return task.change_set


def with_activities(task: JulesTask, activities: Sequence[Activity]) -> JulesTask:
    """Return `task` with chat, plan and files taken from `activities` (oldest first).

    Members that the activities say nothing about keep what the task had. A task that reports
    COMPLETED but has only proposed a plan is waiting for its approval.
    One whose state still says that a plan waits, though the last plan was approved, is at work:
    the state lags behind the activities.
    Source: Jules REST reference 3.6 and 4.3 ("waiting but state COMPLETED").
    """
    if not activities:
        return task
    chat = chat_of(activities) or task.chat_history
    plan = latest_plan(activities) or task.plan
    change_set = latest_change_set(task, activities)
    files: tuple[SourceFile, ...] = task.source_files if change_set is None else change_set.files
    status = task.status
    if status is TaskStatus.COMPLETED and _only_proposed(task, activities):
        status = TaskStatus.WAITING_APPROVAL
    elif status is TaskStatus.WAITING_APPROVAL and _approved(activities):
        status = TaskStatus.IN_PROGRESS
    return replace(task, chat_history=chat, plan=plan, source_files=files, status=status)


def _approved(activities: Sequence[Activity]) -> bool:
    """Whether the last plan was approved after it was made."""
    kinds = {ActivityKind.PLAN_GENERATED, ActivityKind.PLAN_APPROVED}
    last = next((a.kind for a in reversed(activities) if a.kind in kinds), None)
    return last is ActivityKind.PLAN_APPROVED


def _only_proposed(task: JulesTask, activities: Sequence[Activity]) -> bool:
    kinds = {activity.kind for activity in activities}
    worked = {
        ActivityKind.PLAN_APPROVED,
        ActivityKind.PROGRESS_UPDATED,
        ActivityKind.SESSION_COMPLETED,
        ActivityKind.SESSION_FAILED,
    }
    return ActivityKind.PLAN_GENERATED in kinds and not kinds & worked and not task.outputs

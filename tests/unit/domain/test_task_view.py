"""What a task looks like once its activities are known."""

from __future__ import annotations

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet, SourceFile
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.domain.task_view import latest_change_set, with_activities

PLAN = Plan(id="p1", steps=(PlanStep(title="Read"),))
PATCH = ChangeSet(unidiff_patch="diff", files=(SourceFile(filename="a.py", status="created"),))


def _activity(number: int, kind: ActivityKind, **members) -> Activity:
    return Activity(id=str(number), task_id="1", kind=kind, **members)


def test_chat_plan_and_files_come_from_activities():
    """Conversation, latest plan and the files of the latest patch are filled in."""
    seen = with_activities(
        JulesTask(id="1", status=TaskStatus.IN_PROGRESS),
        [
            _activity(1, ActivityKind.USER_MESSAGED, message="hello"),
            _activity(2, ActivityKind.PLAN_GENERATED, plan=PLAN),
            _activity(3, ActivityKind.AGENT_MESSAGED, message="Which port?"),
            _activity(4, ActivityKind.PROGRESS_UPDATED, artifacts=(PATCH,)),
        ],
    )
    assert [("user", "hello"), ("jules", "Which port?")] == [
        (m.type, m.content) for m in seen.chat_history
    ]
    assert (PLAN, PATCH.files) == (seen.plan, seen.source_files)


def test_completed_with_only_a_plan_waits_for_approval():
    """Jules may call an unapproved task completed; we do not."""
    task = JulesTask(id="1", status=TaskStatus.COMPLETED)
    seen = with_activities(task, [_activity(1, ActivityKind.PLAN_GENERATED, plan=PLAN)])
    assert seen.status is TaskStatus.WAITING_APPROVAL


def test_completed_after_work_stays_completed():
    """A task that worked and finished is finished."""
    task = JulesTask(id="1", status=TaskStatus.COMPLETED)
    kinds = (
        ActivityKind.PLAN_GENERATED,
        ActivityKind.PLAN_APPROVED,
        ActivityKind.SESSION_COMPLETED,
    )
    seen = with_activities(task, [_activity(n, kind) for n, kind in enumerate(kinds)])
    assert seen.status is TaskStatus.COMPLETED


def test_without_activities_nothing_changes():
    """No activities say nothing."""
    task = JulesTask(id="1", plan=PLAN)
    assert with_activities(task, []) is task


def test_output_patch_wins_over_activities():
    """The task's own whole patch is preferred; an empty one is not."""
    whole = ChangeSet(unidiff_patch="whole")
    steps = [_activity(1, ActivityKind.PROGRESS_UPDATED, artifacts=(PATCH,))]
    assert latest_change_set(JulesTask(id="1", outputs=(whole,)), steps) == whole
    assert latest_change_set(JulesTask(id="1", outputs=(ChangeSet(),)), steps) == PATCH
    assert latest_change_set(JulesTask(id="1"), []) is None

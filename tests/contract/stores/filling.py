"""A store with something of everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from jules_job_manager.domain.access import ApiKey, Permission, Role
from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet, PullRequest, SourceFile
from jules_job_manager.domain.audit import NewAuditEntry
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.ports.store import Store

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def some_tasks(count: int = 1203) -> list[JulesTask]:
    """Return more tasks than one batch holds, some of them odd, some whole."""
    thin = [
        JulesTask(id=f"{n:05}", title=f"t\0\ud800 {n}", updated_at=NOW + timedelta(seconds=n))
        for n in range(count)
    ]
    whole = JulesTask(
        id="x\0", title="東京", description="d", repository="o/n", branch="b", url="u",
        status=TaskStatus.FAILED, created_at=NOW, raw_state="FAILED", working_branch="w",
        chat_history=tuple(ChatMessage(content=f"m\0{n}", timestamp=NOW) for n in range(3)),
        source_files=(SourceFile(filename="a"), SourceFile(filename="b")),
        plan=Plan(id="p1", steps=(PlanStep(title="s"),), created_at=NOW),
        outputs=(PullRequest(url="u"), ChangeSet(unidiff_patch="diff", base_commit_id="c")),
        require_plan_approval=False, archived=True, backend="rest", seen_at=NOW, metadata={"k": [1, None, "\0"]},
    )  # fmt: skip
    return [*thin, whole]


async def fill(store: Store, *, jobs: bool) -> None:
    """Put something of everything into an empty store; jobs only where it keeps them."""
    await store.tasks.save_tasks(some_tasks(), [event(n) for n in range(7)])
    whole = some_tasks(0)[-1]
    await store.tasks.save_tasks([replace(whole, plan=Plan(id="p2"), outputs=())], [event(8)])
    activities = [
        Activity(id=f"{9 - n}", task_id=whole.id, kind=ActivityKind.PROGRESS_UPDATED,
                 created_at=NOW - timedelta(days=n), plan=Plan(id=f"a{n}"),
                 artifacts=(ChangeSet(unidiff_patch=f"diff {n}"),), raw={"\0": 1})
        for n in range(4)
    ]  # fmt: skip
    await store.tasks.add_activities(whole.id, activities)
    await store.tasks.add_activities("00001", activities[:1])
    await store.set_note("b", "1")
    await store.set_note("a\0", "2")
    if jobs:
        await fill_queue(store)


async def fill_queue(store: Store, keys: str = "abc") -> None:
    """Put jobs with attempts and reviews into a store."""
    kept = [
        Job(key=key, title="t\0", prompt="p", depends_on=("x",), position=n, started_at=NOW, backlog="/b")
        for n, key in enumerate(keys)
    ]  # fmt: skip
    await store.jobs.save_jobs(kept, [event(9)])
    ended = Attempt(
        mark=f"m1{keys}", job_key=keys[0], number=1, state=AttemptState.FAILED, created_at=NOW
    )
    await store.jobs.save_attempt(ended)
    live = Attempt(
        mark=f"m2{keys}",
        job_key=keys[0],
        number=2,
        tries=2,
        state=AttemptState.LIVE,
        task_id="00001",
    )
    await store.jobs.save_attempt(live, job=replace(kept[0], status=JobStatus.RUNNING))
    check = CheckResult(name="c", conclusion=Conclusion.FAILURE, duration_seconds=0.1)
    await store.jobs.save_review(
        Review(job_key=keys[0], mark=f"m1{keys}", delivered_commit="d", base_commit="b",
               verdict=Verdict.REJECT, checks=(check,), at=NOW)
    )  # fmt: skip


async def fill_access(store: Store) -> None:
    """Put API keys and audit entries into a store."""
    for number in range(2):
        key = ApiKey(
            id=f"key{number}", name="n\0", role=Role.VIEWER, digest="d", created_at=NOW, created_by="me",
            scopes=frozenset({Permission.TASKS_READ}), expires_at=NOW, last_used_at=NOW,
        )  # fmt: skip
        entry = NewAuditEntry(
            at=NOW, actor="me", kind="local", operation="key.create", after={"\0": 1.5}
        )
        await store.access.keys.add(key, audit=[entry])


def event(number: int) -> NewEvent:
    """Return an event that is like no other."""
    return NewEvent(type="t", subject=f"task:{number}", at=NOW, data={"n": number, "x": "\0"})

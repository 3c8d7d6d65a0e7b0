"""The contract every store keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet, PullRequest, SourceFile
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.errors import InvalidInputError, StoreError
from jules_job_manager.ports.job_store import JobQuery
from jules_job_manager.ports.task_store import TaskQuery

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
PLAN = Plan(id="p1", steps=(PlanStep(title="Read"),), created_at=NOW)
PATCH = ChangeSet(unidiff_patch="diff one", base_commit_id="b")
TASK = JulesTask(
    id="1001",
    title='Tricky "title" \0 \x1b[31m 東京',
    description="line\nline",
    repository="octo/demo",
    branch="main",
    status=TaskStatus.IN_PROGRESS,
    created_at=NOW,
    updated_at=NOW,
    url="https://jules.google.com/session/1001",
    chat_history=(ChatMessage(content="hi", timestamp=NOW, type="user"),),
    source_files=(SourceFile(filename="a.py", status="created"),),
    plan=PLAN,
    outputs=(PullRequest(url="u"), PATCH),
    raw_state="IN_PROGRESS",
    require_plan_approval=True,
    backend="simulator",
    seen_at=NOW,
    metadata={"new": [1, None]},
)
EVENT = NewEvent(type=EventType.TASK_CREATED, subject="task:1001", at=NOW, data={"x": "\0"})


async def test_a_task_comes_back_as_it_went_in(store):
    """Every member survives, hostile text and unknown members included."""
    await store.tasks.save_tasks([TASK], [EVENT])
    assert TASK == await store.tasks.get_task("1001")
    assert await store.tasks.get_task("nope") is None


async def test_a_list_answer_forgets_nothing(store):
    """Saving what a list tells keeps chat, files and plan that it does not carry."""
    await store.tasks.save_tasks([TASK])
    thin = replace(TASK, chat_history=(), source_files=(), plan=None, status=TaskStatus.COMPLETED)
    await store.tasks.save_tasks([thin])
    assert replace(TASK, status=TaskStatus.COMPLETED) == await store.tasks.get_task("1001")


async def test_every_plan_and_patch_is_kept(store):
    """What a newer answer no longer has stays readable."""
    await store.tasks.save_tasks([TASK])
    other = Plan(id="p2")
    await store.tasks.save_tasks([replace(TASK, plan=other, outputs=())])
    later = ChangeSet(unidiff_patch="diff two")
    activity = Activity(
        id="a", task_id="1001", kind=ActivityKind.PROGRESS_UPDATED, artifacts=(later, PATCH)
    )
    await store.tasks.add_activities("1001", [activity])
    assert [PLAN, other] == list(await store.tasks.list_plans("1001"))
    assert [PATCH, later] == list(await store.tasks.list_patches("1001"))


async def test_pages_lose_and_repeat_nothing(store):
    """Pages follow one another by key, also where times are equal."""
    tasks = [JulesTask(id=f"{n:03}", updated_at=NOW + timedelta(seconds=n // 7)) for n in range(45)]
    await store.tasks.save_tasks(tasks)
    seen, cursor = [], None
    while True:
        page = await store.tasks.list_tasks(TaskQuery(limit=10, after=cursor))
        seen += [task.id for task in page.tasks]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [f"{n:03}" for n in range(44, -1, -1)] == seen
    with pytest.raises(InvalidInputError):
        await store.tasks.list_tasks(TaskQuery(after="nonsense"))


async def test_filters(store):
    """Status, repository, backend and archive narrow a list."""
    await store.tasks.save_tasks(
        [TASK, JulesTask(id="2", archived=True), JulesTask(id="3", backend="rest")]
    )

    async def ids(**query):
        return [task.id for task in (await store.tasks.list_tasks(TaskQuery(**query))).tasks]

    assert ["1001"] == await ids(status=TaskStatus.IN_PROGRESS)
    assert ["1001"] == await ids(repository="octo/demo")
    assert ["3"] == await ids(backend="rest")
    assert {"1001", "2", "3"} == set(await ids(include_archived=True))
    assert ["1001"] == list(await store.tasks.find_task_ids("10"))
    assert [] == list(await store.tasks.find_task_ids("%"))


async def test_activities_are_kept_once_and_in_order(store):
    """A repeated activity is not kept twice; an unknown task takes none."""
    await store.tasks.save_tasks([TASK])
    first = Activity(
        id="a", task_id="1001", kind=ActivityKind.USER_MESSAGED, created_at=NOW, message="m"
    )
    second = Activity(
        id="b", task_id="1001", kind=ActivityKind.PLAN_GENERATED, created_at=NOW, plan=PLAN
    )
    assert [first] == list(await store.tasks.add_activities("1001", [first, first]))
    assert [second] == list(await store.tasks.add_activities("1001", [first, second]))
    assert [first, second] == list(await store.tasks.list_activities("1001"))
    with pytest.raises(StoreError):
        await store.tasks.add_activities("9", [first])


async def test_deleting_keeps_events(store):
    """A deleted task takes all with it but its history."""
    await store.tasks.save_tasks([TASK], [EVENT])
    assert await store.tasks.delete_task("1001", [EVENT])
    assert not await store.tasks.delete_task("1001")
    assert await store.tasks.get_task("1001") is None
    events = await store.events.read(subject="task:1001")
    assert 2 == len(events)
    assert {"x": "\0"} == events[0].data
    assert [events[1]] == list(await store.events.read(after_id=events[0].id, type="task_created"))


async def test_jobs_attempts_and_reviews(store):
    """Jobs come back whole and in order; their attempts and reviews go with them."""
    jobs = [
        Job(key=f"Task {n}", title="t\0", prompt="p", backlog="/b.md", position=n, started_at=NOW)
        for n in range(3)
    ]
    await store.jobs.save_jobs(jobs[::-1])
    assert jobs == list(await store.jobs.list_jobs())
    assert jobs[:1] == list(await store.jobs.list_jobs(JobQuery(limit=1, backlog="/b.md")))
    assert [] == list(await store.jobs.list_jobs(JobQuery(status=JobStatus.DONE)))
    attempt = Attempt(mark="m1", job_key="Task 0", number=1, created_at=NOW)
    await store.jobs.save_attempt(attempt, job=replace(jobs[0], status=JobStatus.STARTING))
    assert [attempt] == list(await store.jobs.list_attempts("Task 0", live_only=True))
    review = Review(
        job_key="Task 0",
        mark="m1",
        delivered_commit="d",
        base_commit="b",
        verdict=Verdict.ACCEPT,
        at=NOW,
    )
    await store.jobs.save_review(replace(review, verdict=Verdict.REJECT))
    await store.jobs.save_review(review)
    assert [review] == list(await store.jobs.list_reviews("Task 0"))
    assert 1 == await store.jobs.delete_jobs(["Task 0", "nope"])
    assert [] == list(await store.jobs.list_attempts())


async def test_one_live_attempt_a_job(store):
    """The database itself refuses a second live attempt, and takes one when the first has ended."""
    await store.jobs.save_jobs([Job(key="a")])
    first = Attempt(mark="m1", job_key="a", number=1)
    second = Attempt(mark="m2", job_key="a", number=2)
    await store.jobs.save_attempt(first)
    with pytest.raises(StoreError, match="already has a live attempt"):
        await store.jobs.save_attempt(second)
    await store.jobs.save_attempt(replace(first, state=AttemptState.FAILED))
    await store.jobs.save_attempt(second)
    assert [second] == list(await store.jobs.list_attempts(live_only=True))


async def test_what_was_written_is_there_after_opening_again(store, store_arguments):
    """Tasks and notes outlive the program."""
    await store.tasks.save_tasks([TASK])
    await store.set_note("name", "one")
    await store.set_note("name", "two")
    again = await open_store(**store_arguments)
    assert ("two", None) == (await again.get_note("name"), await again.get_note("none"))
    assert TASK == await again.tasks.get_task("1001")
    await again.aclose()

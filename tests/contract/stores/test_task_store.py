"""The contract every store keeps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet, PullRequest, SourceFile
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.errors import InvalidInputError, StoreError
from jules_job_manager.ports.task_store import SeenStatus, TaskQuery

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


async def test_the_other_way_round(store):
    """Oldest first, page by page."""
    tasks = [JulesTask(id=f"{n:03}", updated_at=NOW + timedelta(seconds=n // 4)) for n in range(25)]
    await store.tasks.save_tasks(tasks)
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = await store.tasks.list_tasks(TaskQuery(limit=7, after=cursor, oldest_first=True))
        seen += [task.id for task in page.tasks]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [task.id for task in tasks] == seen


async def test_search_and_times(store):
    """A list can be narrowed to a text and to times; marks of patterns stand for themselves."""
    one = JulesTask(id="abc1", title='Größe 50% "x"', created_at=NOW, updated_at=NOW)
    later = NOW + timedelta(hours=1)
    two = JulesTask(id="abc2", description="Add a Parser_test", created_at=later, updated_at=later)
    await store.tasks.save_tasks([one, two])

    async def ids(**query):
        return [task.id for task in (await store.tasks.list_tasks(TaskQuery(**query))).tasks]

    assert ["abc1"] == await ids(search="größe 50%".replace("g", "G"))
    assert ["abc2"] == await ids(search="pARSER_T")
    assert [] == await ids(search="parser%test")
    assert ["abc1"] == await ids(search='"x"')
    assert ["abc2", "abc1"] == await ids(search="ABC")
    assert ["abc2"] == await ids(changed_since=later)
    assert ["abc1"] == await ids(changed_before=later)
    assert ["abc1"] == await ids(created_since=NOW, created_before=later)


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


async def test_what_was_written_is_there_after_opening_again(store, store_arguments):
    """Tasks and notes outlive the program."""
    await store.tasks.save_tasks([TASK])
    await store.set_note("name", "one")
    await store.set_note("name", "two")
    again = await open_store(**store_arguments)
    assert ("two", None) == (await again.get_note("name"), await again.get_note("none"))
    assert TASK == await again.tasks.get_task("1001")
    await again.aclose()


async def test_what_no_database_takes_as_text(store):
    """NUL and halves of surrogate pairs come back the same from every store, and are found again."""
    odd = replace(
        TASK, id="x\0y", repository="o/\ud800", branch="\0", url="\udfff", title="t\0\ud800",
        raw_state="r\0", working_branch="w\0", backend="b\0", metadata={"k\0": "\udc00"},
    )  # fmt: skip
    event = NewEvent(type="t\0", subject="s\ud800", at=NOW, actor="a\0", data={"d": "\0\ud800"})
    await store.tasks.save_tasks([odd], [event])
    expected = replace(
        odd, id="x\u2400y", repository="o/\ufffd", branch="\u2400", url="\ufffd",
        raw_state="r\u2400", working_branch="w\u2400", backend="b\u2400",
    )  # fmt: skip
    assert expected == await store.tasks.get_task("x\0y")
    assert ["x\u2400y"] == list(await store.tasks.find_task_ids("x\0"))
    page = await store.tasks.list_tasks(TaskQuery(repository="o/\ud800", backend="b\0"))
    assert ["x\u2400y"] == [task.id for task in page.tasks]
    activity = Activity(id="a\0", task_id="x\0y", kind=ActivityKind.UNKNOWN, message="\0\ud800")
    assert [activity] == list(await store.tasks.add_activities("x\0y", [activity]))
    assert [] == list(await store.tasks.add_activities("x\0y", [activity]))
    assert [activity] == list(await store.tasks.list_activities("x\0y"))
    read = await store.events.read(subject="s\ud800", type="t\0")
    assert [("t\u2400", "s\ufffd", "a\u2400", {"d": "\0\ud800"})] == [
        (e.type, e.subject, e.actor, e.data) for e in read
    ]
    await store.set_note("n\0", "v\ud800")
    assert "v\ufffd" == await store.get_note("n\0")
    assert await store.tasks.delete_task("x\0y")


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_limits_are_checked(store, limit):
    """A limit that is none is refused in every store alike."""
    for call in (
        store.tasks.list_tasks(TaskQuery(limit=limit)),
        store.tasks.find_task_ids("1", limit=limit),
        store.events.read(limit=limit),
    ):
        with pytest.raises(InvalidInputError, match="between 1 and 1000"):
            await call


async def test_a_task_without_an_id_is_refused(store):
    """Nothing is kept of a save that is refused."""
    with pytest.raises(StoreError):
        await store.tasks.save_tasks([TASK, JulesTask(id="")], [EVENT])
    assert await store.tasks.get_task("1001") is None
    assert [] == list(await store.events.read())


async def test_writers_at_once_lose_nothing(store, store_arguments):
    """Two that write at the same time both find what they wrote."""
    other = await open_store(**store_arguments)

    async def write(target, first: int) -> None:
        for n in range(first, first + 10):
            await target.tasks.save_tasks([JulesTask(id=str(n))], [replace(EVENT, subject=str(n))])

    async with asyncio.TaskGroup() as group:
        group.create_task(write(store, 100))
        group.create_task(write(other, 200))
    await other.aclose()
    page = await store.tasks.list_tasks(TaskQuery())
    assert {*map(str, range(100, 110)), *map(str, range(200, 210))} == {t.id for t in page.tasks}
    events = await store.events.read()
    assert 20 == len({event.id for event in events})


async def test_statuses_of_many(store):
    """The statuses of more tasks than one question holds, by the ids asked for."""
    tasks = [JulesTask(id=f"{n}", status=TaskStatus.FAILED, raw_state="F") for n in range(1100)]
    await store.tasks.save_tasks([*tasks, replace(TASK, id="x\0")])
    asked = [*(task.id for task in tasks), "x\0", "nope"]
    failed = SeenStatus(status=TaskStatus.FAILED, raw_state="F")
    working = SeenStatus(status=TaskStatus.IN_PROGRESS, raw_state="IN_PROGRESS")
    expected = {**dict.fromkeys((task.id for task in tasks), failed), "x\0": working}
    assert expected == dict(await store.tasks.statuses(asked))
    assert {} == dict(await store.tasks.statuses([]))


async def test_plans_and_patches_of_many_tasks_at_once(store):
    """Each task gets its own, in the order they came, and each once."""
    patches = [ChangeSet(unidiff_patch=f"diff {n}") for n in range(3)]
    tasks = [
        replace(TASK, id=f"{n}", plan=Plan(id=f"p{n % 2}"), outputs=(*patches, patches[0]))
        for n in range(4)
    ]
    await store.tasks.save_tasks(tasks)
    await store.tasks.save_tasks([replace(task, plan=PLAN, outputs=(PATCH,)) for task in tasks])
    for n, task in enumerate(tasks):
        assert [Plan(id=f"p{n % 2}"), PLAN] == list(await store.tasks.list_plans(task.id))
        assert [*patches, PATCH] == list(await store.tasks.list_patches(task.id))


async def test_events_get_their_ids_in_the_order_given(store):
    """Many events at once keep their order, and each is returned with the id it is read by."""
    given = [replace(EVENT, subject=f"s{n}", data={"n": n}) for n in range(450)]
    written = await store.events.append(given)
    assert given == [
        NewEvent(type=e.type, subject=e.subject, at=e.at, actor=e.actor, data=e.data)
        for e in written
    ]
    assert list(written) == list(await store.events.read(limit=1000))
    assert (written[-1].id if written else 0) == await store.events.last_id()
    assert [] == list(await store.events.append([]))


async def test_ids_by_their_beginning(store):
    """In the order of code points, case and signs told apart, on every database and locale."""
    ids = ["a", "B", "ab", "aB", "a-b", "a%", "a_c", "é", "a\U0010ffff", "a\ud7ff", "b"]
    await store.tasks.save_tasks([JulesTask(id=task_id) for task_id in ids])
    for prefix in ("", "a", "a%", "aB", "é", "a\ud7ff", "a\U0010ffff", "c"):
        expected = sorted(task_id for task_id in ids if task_id.startswith(prefix))
        assert expected == list(await store.tasks.find_task_ids(prefix, limit=20))
    assert ["B", "a"] == list(await store.tasks.find_task_ids("", limit=2))

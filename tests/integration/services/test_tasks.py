"""What the task service does when Jules and the store do not agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import (
    BackendConnectionError,
    InvalidInputError,
    NotRecordedError,
    OperationFailedError,
    PlanChangedError,
    QuotaExceededError,
    StoreError,
    TaskNotFoundError,
)
from jules_job_manager.ports.backend import Capability, OperationOutcome
from jules_job_manager.services.monitoring import watch
from jules_job_manager.services.observer import Observer
from jules_job_manager.services.tasks import TaskService

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLAN = Plan(id="p1", steps=(PlanStep(title="Read"),))
TASK = JulesTask(id="1001", title="t", status=TaskStatus.IN_PROGRESS, created_at=NOW, plan=PLAN)


class FakeBackend:
    """A Jules whose answers a test sets; it notes what it was told to do."""

    name = "rest"

    def __init__(self, *tasks: JulesTask, capabilities=frozenset(Capability)) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.capabilities = capabilities
        self.outcome = OperationOutcome.DONE
        self.told: list[tuple[object, ...]] = []
        self.found: list[Activity] = []
        self.failures: list[Exception] = []

    async def list_tasks(self, **_):
        if self.failures:
            raise self.failures.pop(0)
        return list(self.tasks.values())

    async def get_task(self, task_id):
        if self.failures:
            raise self.failures.pop(0)
        if task_id not in self.tasks:
            raise TaskNotFoundError(task_id)
        return self.tasks[task_id]

    async def list_activities(self, task_id, *, after=None):
        return self.found

    async def approve_plan(self, task_id):
        self.told.append(("approve", task_id))
        return self.outcome

    async def resume_task(self, task_id):
        self.told.append(("resume", task_id))
        return self.outcome

    async def send_message(self, task_id, text):
        self.told.append(("message", task_id, text))

    async def set_archived(self, task_id, archived):
        self.told.append(("archived", task_id, archived))

    async def delete_task(self, task_id):
        self.told.append(("delete", task_id))


def service(backend, store) -> TaskService:
    return TaskService(backend=backend, store=store, clock=ImpatientClock())


async def kinds(store, subject: str = "task:1001") -> list[str]:
    return [event.type for event in await store.events.read(subject=subject)]


async def test_another_plan_than_the_one_shown_is_not_approved(store):
    """An approval carries no plan id, so a plan that changed meanwhile is refused, nothing sent."""
    backend = FakeBackend(TASK)
    with pytest.raises(PlanChangedError, match="changed since it was shown"):
        await service(backend, store).approve_plan("1001", expected_plan="another")
    backend.tasks["1001"] = replace(TASK, plan=None)
    with pytest.raises(PlanChangedError):
        await service(backend, store).approve_plan("1001", expected_plan="p2")
    assert [] == backend.told
    backend.tasks["1001"] = TASK
    done = await service(backend, store).approve_plan("1001", expected_plan=PLAN.fingerprint)
    assert TaskStatus.IN_PROGRESS is done.status
    assert [("approve", "1001")] == backend.told
    (approved,) = await store.events.read(type="plan_approved")
    assert {"plan_id": "p1"} == dict(approved.data)


async def test_what_does_not_wait_is_neither_approved_nor_resumed(store):
    """Where nothing waits the person is told where the task stands, and nothing is written."""
    backend = FakeBackend(TASK)
    backend.outcome = OperationOutcome.NOT_NEEDED
    with pytest.raises(OperationFailedError, match=r"not waiting for approval \(it is in_progress"):
        await service(backend, store).approve_plan("1001")
    with pytest.raises(OperationFailedError, match=r"not paused \(it is in_progress"):
        await service(backend, store).resume_task("1001")
    assert [] == await kinds(store)


async def test_a_paused_task_goes_on(store):
    """The task is in progress from then on, and the change is an event."""
    backend = FakeBackend(replace(TASK, status=TaskStatus.PAUSED))
    assert TaskStatus.IN_PROGRESS is (await service(backend, store).resume_task("1001")).status
    assert {"task_resumed", "task_state_changed"} == set(await kinds(store))


async def test_tasks_the_store_does_not_know(store):
    """Archiving, deleting and messages work on a task that was never seen; the events are kept.

    One that Jules does not know either is not called deleted.
    """
    backend = FakeBackend(JulesTask(id="77"))
    tasks = service(backend, store)
    assert "77" == await tasks.set_archived("77", archived=True)
    assert "77" == await tasks.send_message("77", "hello")
    assert "77" == await tasks.delete_task("77")
    with pytest.raises(TaskNotFoundError, match="There is no task 78"):
        await tasks.delete_task("78")
    assert [("archived", "77", True), ("message", "77", "hello"), ("delete", "77")] == backend.told
    assert ["task_archived", "message_sent", "task_deleted"] == await kinds(store, "task:77")
    assert await store.tasks.get_task("77") is None


async def test_archived_and_brought_back(store):
    """The stored task follows, and lists leave it out while it is archived."""
    tasks = service(FakeBackend(TASK), store)
    await tasks.get_task("1001")
    await tasks.set_archived("1001", archived=True)
    assert (await store.tasks.get_task("1001")).archived
    await tasks.set_archived("1001", archived=False)
    assert not (await store.tasks.get_task("1001")).archived


async def test_a_message_where_no_activities_exist_is_kept_as_chat(store):
    """The MCP server shows no activities: what was sent is put into the conversation here."""
    backend = FakeBackend(TASK, capabilities=frozenset())
    tasks = service(backend, store)
    assert "1001" == (await tasks.get_task("1001")).id
    await tasks.send_message("1001", "please go on")
    stored = await store.tasks.get_task("1001")
    assert [("user", "please go on")] == [(m.type, m.content) for m in stored.chat_history]


async def test_a_task_without_changes_has_no_patch(store):
    """An empty patch is none."""
    backend = FakeBackend(TASK)
    tasks = service(backend, store)
    with pytest.raises(OperationFailedError, match="no changes to show"):
        await tasks.change_set("1001")
    backend.tasks["1001"] = replace(TASK, outputs=(ChangeSet(unidiff_patch="diff"),))
    assert "diff" == (await tasks.change_set("1001")).unidiff_patch


async def test_what_happened_at_jules_is_told_when_the_store_fails(store, monkeypatch):
    """A message that went out is not called failed because it could not be written down."""

    async def full(*_):
        raise StoreError("There is no room.")

    backend = FakeBackend(TASK)
    monkeypatch.setattr(store.events, "append", full)
    with pytest.raises(NotRecordedError, match="was sent to task 1001"):
        await service(backend, store).send_message("1001", "hello")
    assert [("message", "1001", "hello")] == backend.told


async def test_a_list_while_jules_is_away(store):
    """What is stored is shown with its age; with nothing stored the failure is."""
    backend = FakeBackend(TASK)
    tasks = service(backend, store)
    backend.failures = [BackendConnectionError("away")]
    with pytest.raises(BackendConnectionError):
        await tasks.list_tasks()
    await tasks.list_tasks()
    backend.failures = [BackendConnectionError("away")]
    shown = await tasks.list_tasks()
    assert ["1001"] == [task.id for task in shown.tasks]
    assert shown.stale_since is not None
    assert "away" == shown.failure.message


async def test_references_that_fit_more_than_one_task(store):
    """The first characters of an id stand for it as long as only one task starts so."""
    await store.tasks.save_tasks([JulesTask(id="1001"), JulesTask(id="1002"), JulesTask(id="20")])
    tasks = service(FakeBackend(), store)
    assert "20" == await tasks.resolve("2")
    assert "999" == await tasks.resolve("999")
    with pytest.raises(InvalidInputError, match="More than one task starts with '100': 1001, 1002"):
        await tasks.resolve("100")
    with pytest.raises(TaskNotFoundError, match="The store has no task 999"):
        await tasks.get_stored("999")
    with pytest.raises(TaskNotFoundError, match="There is no task 999"):
        await tasks.get_task("999")


async def test_activities_are_asked_for_once(store):
    """Those known already are dropped, and each new one is an event."""
    backend = FakeBackend(TASK)
    backend.found = [
        Activity(id="a", task_id="1001", kind=ActivityKind.PLAN_GENERATED, created_at=NOW, plan=PLAN)
    ]  # fmt: skip
    tasks = service(backend, store)
    assert ["a"] == [activity.id for activity in await tasks.activities("1001")]
    assert ["a"] == [activity.id for activity in await tasks.activities("1001")]
    assert ["plan_generated"] == await kinds(store)
    assert [PLAN] == list(await tasks.plans("1001"))


async def test_watching_outlasts_a_jules_that_is_away(store):
    """A look that fails is told and watching goes on, until the task is finished."""
    backend = FakeBackend(TASK)
    clock = ImpatientClock()
    backend.failures = [BackendConnectionError("away"), QuotaExceededError("later")]
    looks = []
    observer = Observer(backend=backend, tasks=service(backend, store), store=store, clock=clock)
    async for look in watch(observer, clock, "1001", interval_seconds=5.0,
                            until=TaskStatus.WAITING_APPROVAL):  # fmt: skip
        looks.append((look.task and look.task.status, look.failure is None, look.is_last))
        if len(looks) == 3:
            backend.tasks["1001"] = replace(TASK, status=TaskStatus.COMPLETED)
    working, done = TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED
    assert [
        (None, False, False),
        (None, False, False),
        (working, True, False),
        (done, True, True),
    ] == looks
    assert [5.0] * 3 == clock.waits

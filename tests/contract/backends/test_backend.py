"""The contract every backend keeps."""

from __future__ import annotations

import inspect
import re
import subprocess
from pathlib import Path

import pytest

from jules_job_manager.domain.activity import ActivityKind
from jules_job_manager.domain.task import NewTask, TaskStatus
from jules_job_manager.errors import (
    InvalidInputError,
    TaskNotFoundError,
    UnclearOutcomeError,
    UnsupportedOperationError,
)
from jules_job_manager.ports.backend import Backend, Capability, OperationOutcome

pytestmark = pytest.mark.integration

NEW = NewTask(
    description="Add a greeting",
    repository="octo/demo",
    title="Greeting",
    require_plan_approval=True,
)


async def test_a_task_from_creation_to_delivery(connect, make_simulator, repository):
    """Created, planned, approved, delivered: each step is seen, and the branch really is there."""
    simulator = make_simulator()
    backend = await connect(simulator)
    task = await backend.create_task(NEW)
    title = "Greeting" if Capability.TITLES in backend.capabilities else "Add a greeting"
    assert (title, "octo/demo", "main", TaskStatus.PENDING) == (
        task.title, task.repository, task.branch, task.status,
    )  # fmt: skip
    assert OperationOutcome.NOT_NEEDED is await backend.approve_plan(task.id)
    simulator.advance(60)
    assert TaskStatus.WAITING_APPROVAL is (await backend.get_task(task.id)).status
    assert OperationOutcome.DONE is await backend.approve_plan(task.id)
    assert OperationOutcome.NOT_NEEDED is await backend.approve_plan(task.id)
    simulator.advance(600)
    assert TaskStatus.COMPLETED is (await backend.get_task(task.id)).status
    heads = subprocess.run(
        ["git", "-C", repository, "branch"], capture_output=True, text=True, check=True
    )
    assert f"-{task.id}" in heads.stdout


async def test_activities_and_the_patch(connect_rest, make_simulator):
    """Plan, end and patch are among them, and a cursor leaves out the old."""
    simulator = make_simulator()
    backend = await connect_rest(simulator)
    task = await backend.create_task(NEW)
    simulator.advance(60)
    seen = await backend.list_activities(task.id)
    assert [ActivityKind.PLAN_GENERATED] == [a.kind for a in seen]
    await backend.approve_plan(task.id)
    simulator.advance(600)
    done = await backend.get_task(task.id)
    assert ["created"] == [file.status for file in done.change_set.files]
    later = await backend.list_activities(task.id, after=seen[-1].created_at_raw)
    assert ActivityKind.SESSION_COMPLETED is later[-1].kind
    assert seen[0].id not in {activity.id for activity in later}


async def test_a_message_wakes_a_completed_task(connect, make_simulator, repository):
    """Feedback leads to another delivery by the same task."""
    simulator = make_simulator(mcp={"plan_waits": False})
    backend = await connect(simulator)
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    simulator.advance(600)
    await backend.send_message(task.id, "Please change it.")
    assert TaskStatus.IN_PROGRESS is (await backend.get_task(task.id)).status
    simulator.advance(600)
    assert TaskStatus.COMPLETED is (await backend.get_task(task.id)).status
    command = ["git", "-C", repository, "rev-list", "--count", "--all"]
    log = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "3" == log.stdout.strip()


async def test_a_question_waits_for_its_answer(connect, make_simulator):
    """A task that asks goes on when it is answered."""
    simulator = make_simulator(
        task=[{"match": "x", "question": "Which port?"}], mcp={"plan_waits": False}
    )
    backend = await connect(simulator)
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    simulator.advance(600)
    assert TaskStatus.WAITING_FEEDBACK is (await backend.get_task(task.id)).status
    await backend.send_message(task.id, "8080")
    simulator.advance(600)
    assert TaskStatus.COMPLETED is (await backend.get_task(task.id)).status


async def test_a_stalled_task_is_resumed(connect, make_simulator):
    """Resuming wakes a paused task, and is not needed for another."""
    simulator = make_simulator(task=[{"match": "x", "outcome": "stall"}], mcp={"plan_waits": False})
    backend = await connect(simulator)
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    assert OperationOutcome.NOT_NEEDED is await backend.resume_task(task.id)
    simulator.advance(600)
    assert OperationOutcome.DONE is await backend.resume_task(task.id)
    simulator.advance(600)
    assert TaskStatus.COMPLETED is (await backend.get_task(task.id)).status


async def test_lists_follow_every_page(connect, make_simulator):
    """More than one page of tasks comes newest first, and a limit is kept."""
    backend = await connect(make_simulator())
    ids = [
        (await backend.create_task(NewTask(description=f"n{n}", repository="octo/demo"))).id
        for n in range(103)
    ]
    assert ids[::-1] == [task.id for task in await backend.list_tasks()]
    assert ids[:-6:-1] == [task.id for task in await backend.list_tasks(limit=5)]
    assert ids[::-1] == [task.id async for task in backend.iter_tasks()]
    assert [] == list(await backend.list_tasks(status=TaskStatus.FAILED))


async def test_archived_tasks_are_apart(connect_rest, make_simulator):
    """An archived task is listed on request only, and can be brought back."""
    backend = await connect_rest(make_simulator())
    task = await backend.create_task(NewTask(description="x"))
    await backend.set_archived(task.id, True)
    assert [] == list(await backend.list_tasks())
    assert [task.id] == [t.id for t in await backend.list_tasks(include_archived=True)]
    await backend.set_archived(task.id, False)
    assert [task.id] == [t.id for t in await backend.list_tasks()]


async def test_deleting_twice_is_deleting_once(connect_rest, make_simulator):
    """A task that is gone counts as deleted."""
    backend = await connect_rest(make_simulator())
    task = await backend.create_task(NewTask(description="x"))
    await backend.delete_task(task.id)
    await backend.delete_task(task.id)
    with pytest.raises(TaskNotFoundError):
        await backend.get_task(task.id)


async def test_an_unknown_task(connect, make_simulator):
    """Looking at a task that Jules does not know says so."""
    backend = await connect(make_simulator())
    with pytest.raises(TaskNotFoundError):
        await backend.get_task("1")


async def test_a_repository_that_jules_may_not_work_on(connect, make_simulator):
    """It is refused before anything is created."""
    simulator = make_simulator()
    backend = await connect(simulator)
    with pytest.raises(InvalidInputError):
        await backend.create_task(NewTask(description="x", repository="octo/none"))
    assert 0 == simulator.stats()["sessions_created"]


async def test_a_create_whose_answer_is_lost(connect, make_simulator):
    """It is sent once, and the error says that it may have happened."""
    simulator = make_simulator(faults={"lose_create_answers": 1}, mcp={"lose_creates": 1})
    backend = await connect(simulator)
    with pytest.raises(UnclearOutcomeError):
        await backend.create_task(NEW)
    assert 1 == simulator.stats()["sessions_created"]


async def test_what_is_not_a_capability_is_refused(connect, make_simulator):
    """An operation without its capability says so, with it it works."""
    backend = await connect(make_simulator())
    task = await backend.create_task(NEW)
    operations = {
        Capability.ACTIVITIES: lambda: backend.list_activities(task.id),
        Capability.ARCHIVE: lambda: backend.set_archived(task.id, True),
        Capability.SOURCES: backend.list_sources,
        Capability.DELETE: lambda: backend.delete_task(task.id),
    }
    for capability, operation in operations.items():
        if capability in backend.capabilities:
            await operation()
        else:
            with pytest.raises(UnsupportedOperationError):
                await operation()


async def test_a_message_whose_answer_is_lost(connect, make_simulator):
    """It is sent once, and the error says that it may have arrived."""
    simulator = make_simulator(
        faults={"lose_message_answers": 1}, mcp={"plan_waits": False, "lose_messages": 1}
    )
    backend = await connect(simulator)
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    simulator.advance(10)
    with pytest.raises(UnclearOutcomeError):
        await backend.send_message(task.id, "hello")
    if Capability.ACTIVITIES in backend.capabilities:
        said = [activity.message for activity in await backend.list_activities(task.id)]
    else:
        said = [message.content for message in (await backend.get_task(task.id)).chat_history]
    assert ["hello"] == said


async def test_tasks_by_status(connect, make_simulator):
    """Only those that stand there are listed, as far as the backend knows."""
    simulator = make_simulator(
        task=[{"match": "fails", "outcome": "failed"}], mcp={"plan_waits": False}
    )
    backend = await connect(simulator)
    for text in ("fails", "works"):
        await backend.create_task(NewTask(description=text, repository="octo/demo"))
    simulator.advance(600)
    looked_at = [await backend.get_task(task.id) for task in await backend.list_tasks()]
    assert ["works", "fails"] == [task.title for task in looked_at]
    failed = await backend.list_tasks(status=TaskStatus.FAILED, limit=3)
    assert ["fails"] == [task.title for task in failed]


async def test_the_sources_are_told(connect_rest, make_simulator):
    """The repositories that Jules may work on come with their branches."""
    (source,) = await (await connect_rest(make_simulator())).list_sources()
    assert ("octo/demo", "main", ("main",)) == (
        source.repository, source.default_branch, source.branches,
    )  # fmt: skip


async def test_closing_twice_is_closing_once(connect, make_simulator):
    """A backend may be closed before and after it was used, and again."""
    backend = await connect(make_simulator())
    assert [] == list(await backend.list_tasks())
    await backend.aclose()
    await backend.aclose()


def test_the_contract_covers_the_port():
    """Every method of the port is called in this suite."""
    methods = {
        name for name, _ in inspect.getmembers(Backend, inspect.isfunction) if name[0] != "_"
    }
    called = set(re.findall(r"backend\.(\w+)", Path(__file__).read_text(encoding="utf-8")))
    assert {"create_task", "aclose"} <= methods
    assert set() == methods - called

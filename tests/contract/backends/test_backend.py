"""The contract every backend keeps."""

from __future__ import annotations

import subprocess

import pytest

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.domain.activity import ActivityKind
from jules_job_manager.domain.task import NewTask, TaskStatus
from jules_job_manager.errors import (
    BackendConnectionError,
    CircuitOpenError,
    InvalidInputError,
    PreconditionFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.backend import OperationOutcome

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
    assert ("Greeting", "octo/demo", "main", TaskStatus.PENDING) == (
        task.title, task.repository, task.branch, task.status,
    )  # fmt: skip
    assert OperationOutcome.NOT_NEEDED is await backend.approve_plan(task.id)
    simulator.advance(60)
    assert TaskStatus.WAITING_APPROVAL is (await backend.get_task(task.id)).status
    seen = await backend.list_activities(task.id)
    assert [ActivityKind.PLAN_GENERATED] == [a.kind for a in seen]
    assert OperationOutcome.DONE is await backend.approve_plan(task.id)
    simulator.advance(600)
    done = await backend.get_task(task.id)
    assert TaskStatus.COMPLETED is done.status
    assert done.change_set is not None
    assert ["created"] == [file.status for file in done.change_set.files]
    later = await backend.list_activities(task.id, after=seen[-1].created_at_raw)
    assert ActivityKind.SESSION_COMPLETED is later[-1].kind
    assert seen[0].id not in {activity.id for activity in later}
    heads = subprocess.run(
        ["git", "-C", repository, "branch"], capture_output=True, text=True, check=True
    )
    assert done.working_branch in heads.stdout


async def test_a_message_wakes_a_completed_task(connect, make_simulator):
    """Feedback leads to another delivery by the same task."""
    simulator = make_simulator()
    backend = await connect(simulator)
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    simulator.advance(600)
    await backend.send_message(task.id, "Please change it.")
    assert TaskStatus.IN_PROGRESS is (await backend.get_task(task.id)).status
    simulator.advance(600)
    kinds = [a.kind for a in await backend.list_activities(task.id)]
    assert 2 == kinds.count(ActivityKind.SESSION_COMPLETED)


async def test_a_question_waits_for_its_answer(connect, make_simulator):
    """A task that asks goes on when it is answered."""
    simulator = make_simulator(task=[{"match": "x", "question": "Which port?"}])
    backend = await connect(simulator)
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    simulator.advance(600)
    assert TaskStatus.WAITING_FEEDBACK is (await backend.get_task(task.id)).status
    await backend.send_message(task.id, "8080")
    simulator.advance(600)
    assert TaskStatus.COMPLETED is (await backend.get_task(task.id)).status


async def test_a_stalled_task_is_resumed(connect, make_simulator):
    """Resuming wakes a paused task, and is not needed for another."""
    simulator = make_simulator(task=[{"match": "x", "outcome": "stall"}])
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
    ids = [(await backend.create_task(NewTask(description=f"n{n}"))).id for n in range(103)]
    assert ids[::-1] == [task.id for task in await backend.list_tasks()]
    assert ids[:-6:-1] == [task.id for task in await backend.list_tasks(limit=5)]
    assert [] == list(await backend.list_tasks(status=TaskStatus.FAILED))


async def test_archived_tasks_are_apart(connect, make_simulator):
    """An archived task is listed on request only, and can be brought back."""
    backend = await connect(make_simulator())
    task = await backend.create_task(NewTask(description="x"))
    await backend.set_archived(task.id, True)
    assert [] == list(await backend.list_tasks())
    assert [task.id] == [t.id for t in await backend.list_tasks(include_archived=True)]
    await backend.set_archived(task.id, False)
    assert [task.id] == [t.id for t in await backend.list_tasks()]


async def test_deleting_twice_is_deleting_once(connect, make_simulator):
    """A task that is gone counts as deleted."""
    backend = await connect(make_simulator())
    task = await backend.create_task(NewTask(description="x"))
    await backend.delete_task(task.id)
    await backend.delete_task(task.id)
    with pytest.raises(TaskNotFoundError):
        await backend.get_task(task.id)


@pytest.mark.parametrize("spelling", [False, True])
async def test_both_source_spellings(connect, make_simulator, spelling):
    """A repository is found whichever way the service spells its source."""
    backend = await connect(make_simulator(deviations={"hyphen_source_names": spelling}))
    assert ["octo/demo"] == [source.repository for source in await backend.list_sources()]
    task = await backend.create_task(NEW)
    assert "octo/demo" == task.repository


async def test_wrong_repository_and_branch(connect, make_simulator):
    """What Jules may not work on, and a branch that is not there, are refused in words."""
    backend = await connect(make_simulator())
    with pytest.raises(InvalidInputError, match="may not work on"):
        await backend.create_task(NewTask(description="x", repository="octo/none"))
    with pytest.raises(InvalidInputError):
        await backend.create_task(NewTask(description="x", repository="octo/demo", branch="nope"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("lose_create_answers", UnclearOutcomeError),
        ("precondition_though_created", PreconditionFailedError),
    ],
)
async def test_a_create_is_never_repeated(connect, make_simulator, fault, error):
    """A create whose answer is lost is sent once, and the task is found by looking."""
    simulator = make_simulator(faults={fault: 1})
    backend = await connect(simulator)
    with pytest.raises(error):
        await backend.create_task(NEW)
    assert 1 == simulator.stats()["sessions_created"]
    assert ["Greeting"] == [task.title for task in await backend.list_tasks()]


async def test_reads_are_repeated(connect, make_simulator, clock):
    """A read that fails is tried again with growing waits."""
    backend = await connect(make_simulator(faults={"fail_reads": 2}))
    assert [] == list(await backend.list_tasks())
    assert 2 == len(clock.waits)
    assert clock.waits[0] >= 1


async def test_the_circuit_opens(connect, make_simulator):
    """A service that keeps failing is left alone."""
    backend = await connect(make_simulator(faults={"fail_reads": 100}))
    for _ in range(2):
        with pytest.raises(BackendConnectionError):
            await backend.list_tasks()
    with pytest.raises(CircuitOpenError):
        await backend.list_tasks()


async def test_quota(connect, make_simulator):
    """The daily quota and the limit of running tasks are told apart."""
    daily = await connect(make_simulator(quota={"tasks_per_day": 1}))
    await daily.create_task(NEW)
    with pytest.raises(QuotaExceededError):
        await daily.create_task(NEW)
    running = await connect(make_simulator(quota={"concurrent": 1}))
    await running.create_task(NEW)
    with pytest.raises(PreconditionFailedError):
        await running.create_task(NEW)


async def test_a_message_to_a_queued_task_is_tried_again(connect, make_simulator, clock):
    """Jules takes no message while a task is queued; the refusal is bounded and told."""
    backend = await connect(make_simulator())
    task = await backend.create_task(NEW)
    with pytest.raises(TaskNotFoundError):
        await backend.send_message(task.id, "hello")
    assert [1, 2, 4, 8] == clock.waits


async def test_a_young_task_has_no_activities_yet(connect, make_simulator):
    """The list that is not there yet is empty, not an error."""
    backend = await connect(make_simulator(deviations={"activities_404_seconds": 5}))
    task = await backend.create_task(NEW)
    assert [] == list(await backend.list_activities(task.id))


async def test_unknown_tasks(connect, make_simulator):
    """Every operation on an unknown task says that there is none."""
    backend = await connect(make_simulator())
    for operation in (
        backend.get_task("1"), backend.approve_plan("1"), backend.resume_task("1"),
        backend.send_message("1", "x"), backend.list_activities("1"), backend.set_archived("1", True),
    ):  # fmt: skip
        with pytest.raises(TaskNotFoundError):
            await operation


async def test_a_dead_server(clock):
    """A server that is not there is a connection error, also for a create, which was never sent."""
    backend = open_rest_backend(
        base_url="http://127.0.0.1:1/v1alpha",
        api_key="k",
        timeout_seconds=2,
        max_tries=2,
        clock=clock,
    )
    with pytest.raises(BackendConnectionError):
        await backend.create_task(NewTask(description="x"))
    await backend.aclose()


async def test_a_refused_request_undoes_nothing(connect, make_simulator, repository):
    """What happened before a refusal stays: each delivery is committed once."""
    simulator = make_simulator()
    backend = await connect(simulator)
    await backend.create_task(NewTask(description="x", repository="octo/demo"))
    simulator.advance(600)
    for _ in range(3):
        with pytest.raises(TaskNotFoundError):
            await backend.get_task("1")
    log = subprocess.run(
        ["git", "-C", repository, "log", "--oneline", "--all"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 2 == len(log.stdout.splitlines())

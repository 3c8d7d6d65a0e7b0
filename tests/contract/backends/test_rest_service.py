"""What the REST API has beyond the common contract, and how it fails."""

from __future__ import annotations

import subprocess

import pytest

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.domain.task import NewTask
from jules_job_manager.errors import (
    BackendConnectionError,
    CircuitOpenError,
    InvalidInputError,
    OperationFailedError,
    PreconditionFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)

pytestmark = pytest.mark.integration

NEW = NewTask(
    description="Add a greeting",
    repository="octo/demo",
    title="Greeting",
    require_plan_approval=True,
)


@pytest.mark.parametrize("spelling", [False, True])
async def test_both_source_spellings(connect_rest, make_simulator, spelling):
    """A repository is found whichever way the service spells its source."""
    backend = await connect_rest(make_simulator(deviations={"hyphen_source_names": spelling}))
    assert ["octo/demo"] == [source.repository for source in await backend.list_sources()]
    task = await backend.create_task(NEW)
    assert "octo/demo" == task.repository


async def test_wrong_repository_and_branch(connect_rest, make_simulator):
    """What Jules may not work on, and a branch that is not there, are refused in words."""
    backend = await connect_rest(make_simulator())
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
async def test_a_create_is_never_repeated(connect_rest, make_simulator, fault, error):
    """A create whose answer is lost is sent once, and the task is found by looking."""
    simulator = make_simulator(faults={fault: 1})
    backend = await connect_rest(simulator)
    with pytest.raises(error):
        await backend.create_task(NEW)
    assert 1 == simulator.stats()["sessions_created"]
    assert ["Greeting"] == [task.title for task in await backend.list_tasks()]


async def test_reads_are_repeated(connect_rest, make_simulator, clock):
    """A read that fails is tried again with growing waits."""
    backend = await connect_rest(make_simulator(faults={"fail_reads": 2}))
    assert [] == list(await backend.list_tasks())
    assert 2 == len(clock.waits)
    assert clock.waits[0] >= 1


async def test_the_circuit_opens(connect_rest, make_simulator):
    """A service that keeps failing is left alone."""
    backend = await connect_rest(make_simulator(faults={"fail_reads": 100}))
    for _ in range(2):
        with pytest.raises(BackendConnectionError):
            await backend.list_tasks()
    with pytest.raises(CircuitOpenError):
        await backend.list_tasks()


async def test_quota(connect_rest, make_simulator):
    """The daily quota and the limit of running tasks are told apart."""
    daily = await connect_rest(make_simulator(quota={"tasks_per_day": 1}))
    await daily.create_task(NEW)
    with pytest.raises(QuotaExceededError):
        await daily.create_task(NEW)
    running = await connect_rest(make_simulator(quota={"concurrent": 1}))
    await running.create_task(NEW)
    with pytest.raises(PreconditionFailedError):
        await running.create_task(NEW)


async def test_a_message_to_a_queued_task_is_tried_again(connect_rest, make_simulator, clock):
    """Jules takes no message while a task is queued; the refusal is bounded and told."""
    backend = await connect_rest(make_simulator())
    task = await backend.create_task(NEW)
    with pytest.raises(OperationFailedError, match="is still queued"):
        await backend.send_message(task.id, "hello")
    assert [1, 2, 4, 8] == clock.waits


async def test_a_young_task_has_no_activities_yet(connect_rest, make_simulator):
    """The list that is not there yet is empty, not an error."""
    backend = await connect_rest(make_simulator(deviations={"activities_404_seconds": 5}))
    task = await backend.create_task(NEW)
    assert [] == list(await backend.list_activities(task.id))


async def test_unknown_tasks(connect_rest, make_simulator):
    """Every operation on an unknown task says that there is none."""
    backend = await connect_rest(make_simulator())
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


async def test_a_refused_request_undoes_nothing(connect_rest, make_simulator, repository):
    """What happened before a refusal stays: each delivery is committed once."""
    simulator = make_simulator()
    backend = await connect_rest(simulator)
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

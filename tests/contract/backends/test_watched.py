"""A watched backend is timed; the contract of the other files shows that it is otherwise the same."""

from __future__ import annotations

import inspect

import pytest

from jules_job_manager.adapters.backends.watched import WatchedBackend
from jules_job_manager.domain.task import NewTask
from jules_job_manager.errors import TaskNotFoundError
from jules_job_manager.ports.backend import Backend

pytestmark = pytest.mark.integration


def _calls(meter) -> dict[tuple[str, str], float]:
    return {
        (s.labels["operation"], s.labels["outcome"]): s.value
        for family in meter.registry.collect()
        for s in family.samples
        if s.name == "jules_backend_call_duration_seconds_count"
    }


async def test_every_call_is_timed(connect_as, make_simulator, meter):
    """By operation and outcome; an error is counted by its code."""
    backend = await connect_as("watched", make_simulator())
    task = await backend.create_task(NewTask(description="x", repository="octo/demo"))
    await backend.list_tasks()
    assert [task.id] == [found.id async for found in backend.iter_tasks()]
    with pytest.raises(TaskNotFoundError):
        await backend.get_task("sessions/404")
    assert {
        ("create_task", "ok"): 1, ("list_tasks", "ok"): 1, ("iter_tasks", "ok"): 2,
        ("get_task", "refused"): 1,
    } == _calls(meter)  # fmt: skip
    assert 1 == meter.registry.get_sample_value("jules_errors_total", {"error_type": "JJM050"})


def test_no_call_is_forgotten():
    """Every method of the port is passed on with the same arguments."""
    for name, wanted in inspect.getmembers(Backend, inspect.isfunction):
        if not name.startswith("_"):
            own = getattr(WatchedBackend, name)
            assert inspect.signature(wanted) == inspect.signature(own), name
    assert WatchedBackend.aclose is not None

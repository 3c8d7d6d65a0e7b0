"""Tasks of further accounts are managed by their ids alone. Two pretend Jules, one store."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport
from jules_job_manager.adapters.backends.simulator.scenario import load_scenario
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.task import NewTask
from jules_job_manager.errors import OperationFailedError, TaskNotFoundError
from jules_job_manager.services.account_tasks import AccountTasks
from jules_job_manager.services.tasks import TaskService

pytestmark = pytest.mark.integration


@asynccontextmanager
async def _jules(tmp_path, name, seed):
    clock = SystemClock()
    simulator = Simulator.open(
        tmp_path / f"{seed}.db", scenario=load_scenario(None), seed=seed, speed=1.0,
        repositories={}, clock=clock,
    )  # fmt: skip
    backend = open_rest_backend(
        base_url="http://127.0.0.1/v1alpha", api_key="k", timeout_seconds=20.0, max_tries=1,
        clock=clock, name=name, transport=in_process_transport(simulator),
    )  # fmt: skip
    try:
        yield backend
    finally:
        await backend.aclose()
        simulator.close()


async def test_each_task_is_asked_of_the_account_it_is_in(store, tmp_path):
    """Looked at, spoken to, archived and deleted where it is; its account stays what it was."""
    new = NewTask(description="Add a greeting", repository="octo/sample", branch="main")
    async with _jules(tmp_path, "rest", 1) as first, _jules(tmp_path, "rest:work", 2) as second:
        work = TaskService(backend=second, store=store, clock=SystemClock())
        tasks = AccountTasks(
            backend=first, store=store, clock=SystemClock(), others={"rest:work": work}
        )
        mine, theirs = await tasks.create_task(new), await work.create_task(new)
        plain = TaskService(backend=first, store=store, clock=SystemClock())
        with pytest.raises(TaskNotFoundError):
            await plain.get_task(theirs.id)
        for task, account in ((mine, "rest"), (theirs, "rest:work")):
            assert task.id == (await tasks.get_task(task.id)).id
            await tasks.send_message(task.id, "Hello")
            assert "Hello" in [a.message for a in await tasks.activities(task.id)]
            await tasks.plans(task.id)
            for ask in (tasks.approve_plan, tasks.resume_task, tasks.change_set):
                # It is refused by the account that has the task, which knows it well.
                with pytest.raises(OperationFailedError) as refused:
                    await ask(task.id)
                assert not isinstance(refused.value, TaskNotFoundError)
            await tasks.set_archived(task.id, archived=True)
            stored = await store.tasks.get_task(task.id)
            assert (account, True) == (stored.backend, stored.archived)
            await tasks.delete_task(task.id)
            assert await store.tasks.get_task(task.id) is None

"""A server that restarts under use, several programs at once, and how often a database is asked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import asyncpg
import pytest
import sqlalchemy as sa
from tests.contract.stores.filling import event, some_tasks
from tests.servers import private_postgresql

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.sql import engine
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import StoreUnavailableError
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.tasks import TaskService

pytestmark = pytest.mark.integration


@pytest.fixture
def stores_are_ready() -> bool:
    """Programs that start at once make the tables at once."""
    return False


async def test_a_server_that_restarts_under_use(tmp_path):
    """While it is down each call says so and keeps nothing; once it is back the open store goes on."""
    with private_postgresql() as server:
        if server is None:
            pytest.skip(
                "no PostgreSQL: neither the wheel's nor Debian's binaries are here, or this user has no name"
            )
        store = await open_store(
            kind="postgresql", data_path=tmp_path / "jjm.db", database_url=server.address,
            fallback="error", clock=SystemClock(),
        )  # fmt: skip
        await store.tasks.save_tasks([JulesTask(id="before")], [event(1)])
        await asyncio.gather(
            *(store.tasks.get_task("before") for _ in range(5))
        )  # five connections
        await asyncio.to_thread(server.stop)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="cannot be reached"):
                await store.tasks.save_tasks([JulesTask(id="lost")], [event(2)])
            with pytest.raises(StoreUnavailableError, match="cannot be reached"):
                await store.tasks.list_tasks(TaskQuery())
        await asyncio.to_thread(server.start)
        await store.tasks.save_tasks([JulesTask(id="after")], [event(3)])
        page = await store.tasks.list_tasks(TaskQuery())
        assert {"before", "after"} == {task.id for task in page.tasks}
        assert 2 == len(await store.events.read())
        await store.aclose()


async def test_a_program_that_stands_still_within_a_statement(make_arguments, monkeypatch):
    """Stopped between "prepare" and "execute" it is not idle to the server; its locks are taken away."""
    monkeypatch.setattr(engine, "IDLE_SECONDS", 1)
    monkeypatch.setattr(engine, "LOCK_SECONDS", 1)
    arguments = await make_arguments("postgresql")
    store = await open_store(**arguments)
    old = await store.leases.acquire("queue", "old", seconds=0)
    stopped = await asyncpg.connect(
        arguments["database_url"],
        server_settings={"application_name": "jjm", "idle_in_transaction_session_timeout": "1000"},
    )
    await stopped.execute("BEGIN")
    await stopped.fetch("SELECT owner FROM leases FOR SHARE")
    await stopped.prepare("SELECT 1")  # and no more
    assert await store.leases.acquire("queue", "new", seconds=60) is None
    new = None
    async with asyncio.timeout(30):
        while new is None:
            new = await store.leases.acquire("queue", "new", seconds=60)
    assert old.token + 1 == new.token
    with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)):  # it was hung up on
        await stopped.fetch("SELECT 1")
    stopped.terminate()
    await store.aclose()


async def test_a_server_that_stops_answering(tmp_path, monkeypatch):
    """A wait for an answer has an end, and the sentence is that of a server that is away."""
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 0.5)
    with private_postgresql() as server:
        if server is None:
            pytest.skip(
                "no PostgreSQL: neither the wheel's nor Debian's binaries are here, or this user has no name"
            )
        store = await open_store(
            kind="postgresql", data_path=tmp_path / "jjm.db", database_url=server.address,
            fallback="error", clock=SystemClock(),
        )  # fmt: skip
        await store.tasks.save_tasks([JulesTask(id="before")])
        with server.silent():
            async with asyncio.timeout(30):
                with pytest.raises(StoreUnavailableError, match="cannot be reached"):
                    await store.tasks.get_task("before")
        assert await store.tasks.get_task("before") is not None
        await store.aclose()


WRITER = """
import asyncio, json, sys
from pathlib import Path
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.task import JulesTask

async def main():
    given = json.loads(sys.argv[1])
    clock = SystemClock()
    store = await open_store(**{**given, "data_path": Path(given["data_path"]), "clock": clock})
    for n in range(20):
        name = f"{sys.argv[2]}{n}"
        told = NewEvent(type="t", subject=name, at=clock.now())
        await store.tasks.save_tasks([JulesTask(id=name), JulesTask(id="shared", title=name)], [told])
    await store.aclose()

asyncio.run(main())
"""


async def test_programs_that_write_at_once_lose_nothing(store_arguments):
    """Three processes make one store together and write to it: every task and event is there."""
    given = json.dumps(
        {name: str(value) for name, value in store_arguments.items() if name != "clock"}
    )
    running = [subprocess.Popen([sys.executable, "-c", WRITER, given, name]) for name in "abc"]  # noqa: ASYNC220
    assert [0, 0, 0] == [await asyncio.to_thread(process.wait, 90) for process in running]
    store = await open_store(**store_arguments)
    written = {f"{name}{n}" for name in "abc" for n in range(20)}
    page = await store.tasks.list_tasks(TaskQuery(limit=1000))
    assert written | {"shared"} == {task.id for task in page.tasks}
    told = await store.events.read(limit=1000)
    assert (60, written) == (len({event.id for event in told}), {event.subject for event in told})
    await store.aclose()


class _Listing:
    """A backend that only lists, and whose lists do not tell where a task stands."""

    name = "mcp"
    capabilities = frozenset()

    def __init__(self, tasks: list[JulesTask]) -> None:
        self._tasks = tasks

    async def list_tasks(self, **_: object) -> list[JulesTask]:
        return self._tasks


async def _statements(store, work) -> int:
    """Return how many statements the database is given while `work` is done."""
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        asked.append(statement)

    engine = store.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        await work
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return len(asked)


async def test_many_tasks_are_not_more_questions(sql_store):
    """A list, with plans, patches and changes of status, costs as many statements for 200 as for 2."""
    whole = some_tasks(0)[-1]

    def made(count: int) -> list[JulesTask]:
        return [
            replace(whole, id=f"{count}-{n}", chat_history=(), source_files=(), plan=Plan(id=f"p{n}"))
            for n in range(count)
        ]  # fmt: skip

    async def listed(count: int) -> int:
        tasks = made(count)
        await sql_store.tasks.save_tasks(tasks)
        changed = [replace(task, status=TaskStatus.COMPLETED) for task in tasks]
        service = TaskService(backend=_Listing(changed), store=sql_store, clock=SystemClock())
        return await _statements(sql_store, service.list_tasks())

    assert await listed(2) == await listed(200)


async def test_a_status_that_lists_do_not_tell_is_kept(sql_store):
    """What was last seen on the task itself stays, and costs one question for all of them."""

    async def listed(count: int) -> int:
        tasks = [
            JulesTask(id=f"{count}-{n}", status=TaskStatus.COMPLETED, raw_state="Done", backend="mcp")
            for n in range(count)
        ]  # fmt: skip
        await sql_store.tasks.save_tasks(tasks)
        untold = [replace(task, status=TaskStatus.UNKNOWN, raw_state="") for task in tasks]
        service = TaskService(backend=_Listing(untold), store=sql_store, clock=SystemClock())
        asked = await _statements(sql_store, service.list_tasks())
        shown = (await service.list_tasks(limit=1000)).tasks
        assert {(TaskStatus.COMPLETED, "Done")} == {(task.status, task.raw_state) for task in shown}
        return asked

    assert await listed(2) == await listed(200)


async def test_many_activities_are_not_more_questions(sql_store):
    """Plans and patches that come with activities are kept in one statement each."""
    patch = some_tasks(0)[-1].outputs[1]

    async def added(count: int) -> int:
        await sql_store.tasks.save_tasks([JulesTask(id=f"{count}")])
        found = [
            Activity(id=f"{n}", task_id=f"{count}", kind=ActivityKind.PROGRESS_UPDATED,
                     plan=Plan(id=f"p{n}"), artifacts=(replace(patch, unidiff_patch=f"diff {n}"),))
            for n in range(count)
        ]  # fmt: skip
        asked = await _statements(
            sql_store, sql_store.tasks.add_activities(f"{count}", found, [event(n) for n in range(count)])
        )  # fmt: skip
        assert count == len(await sql_store.tasks.list_patches(f"{count}"))
        return asked

    assert await added(2) == await added(200)

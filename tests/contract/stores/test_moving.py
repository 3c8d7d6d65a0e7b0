"""Moving a store into another: everything arrives, or nothing does."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from tests.contract.stores.filling import event, fill, fill_access, fill_queue

from jules_job_manager.adapters.storage import moving
from jules_job_manager.adapters.storage.json_file import JsonFile
from jules_job_manager.adapters.storage.moving import Place, move, place_from
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.records import TABLES, Extent, extents
from jules_job_manager.adapters.storage.sql.schema import metadata
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.audit import Verification
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import InvalidInputError, StoreError
from jules_job_manager.ports.task_store import TaskQuery

pytestmark = pytest.mark.integration

KINDS = ["json", "sqlite", "postgresql"]
MOMENTARY = {"leases", "review_runs", "sign_in_tokens", "web_sessions", "idempotent_requests"}
"""Tables of what only counts at the moment."""


def place(arguments) -> Place:
    kind = arguments["kind"]
    address = arguments["database_url"] if kind == "postgresql" else str(arguments["data_path"])
    return Place(kind=kind, address=address)


async def moved(source, target, report=lambda _: None):
    return await move(place(source), place(target), clock=SystemClock(), report=report)


@pytest.mark.parametrize("target_kind", KINDS)
@pytest.mark.parametrize("source_kind", KINDS)
async def test_everything_arrives(make_arguments, source_kind, target_kind):
    """Every pair of stores, with something of everything; then the new store goes on."""
    source_arguments, target_arguments = await make_arguments(source_kind), await make_arguments(target_kind)  # fmt: skip
    queue = "json" not in {source_kind, target_kind}
    source = await open_store(**source_arguments)
    await fill(source, jobs=queue)
    if queue:
        await fill_access(source)
    sent = await moved(source_arguments, target_arguments)
    assert {"tasks": 1204, "task_events": 9 if queue else 8, "activities": 5, "plans": 7, "patches": 6} == {
        name: sent[name].count for name in ("tasks", "task_events", "activities", "plans", "patches")
    }  # fmt: skip
    target = await open_store(**target_arguments)
    for read in (_tasks, _parts, _events, *([_queue, _access] if queue else [])):
        assert await read(source) == await read(target)
    before = await target.events.read(limit=1000)
    (new,) = await target.events.append([event(99)])
    assert new.id > before[-1].id
    await source.aclose()
    await target.aclose()


async def _tasks(store):
    found, cursor = [], None
    while True:
        page = await store.tasks.list_tasks(
            TaskQuery(limit=1000, after=cursor, include_archived=True)
        )
        found += page.tasks
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _parts(store):
    return [
        [await store.tasks.get_task(key), await store.tasks.list_activities(key),
         await store.tasks.list_plans(key), await store.tasks.list_patches(key)]
        for key in ("x\0", "00001")
    ] + [await store.get_note("b"), await store.get_note("a\0")]  # fmt: skip


async def _events(store):
    return list(await store.events.read(limit=1000))


async def _queue(store):
    return [
        await store.jobs.list_jobs(), await store.jobs.list_attempts(), await store.jobs.list_reviews("a"),
    ]  # fmt: skip


async def _access(store):
    chain = Verification()
    entries = await store.audit.read()
    for entry in entries:
        chain = chain.after(entry)
    assert () == chain.ended().problems
    return [await store.access.keys.list_keys(), entries]


async def test_keys_are_not_lost_in_a_json_file(make_arguments):
    """A JSON file cannot hold keys and the audit log, so nothing is moved."""
    source_arguments, target_arguments = await make_arguments("sqlite"), await make_arguments("json")  # fmt: skip
    source = await open_store(**source_arguments)
    await fill_access(source)
    await source.aclose()
    with pytest.raises(StoreError, match="2 keys and 2 entries would be lost"):
        await moved(source_arguments, target_arguments)
    assert not target_arguments["data_path"].exists()


async def test_jobs_are_not_lost_in_a_json_file(make_arguments):
    """A JSON file cannot hold jobs, so nothing is moved."""
    source_arguments, target_arguments = await make_arguments("sqlite"), await make_arguments("json")  # fmt: skip
    source = await open_store(**source_arguments)
    await fill_queue(source)
    await source.aclose()
    with pytest.raises(StoreError, match="3 would be lost"):
        await moved(source_arguments, target_arguments)
    assert not target_arguments["data_path"].exists()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_target_with_data_is_refused(make_arguments, kind):
    """What is there stays, and nothing is added."""
    source_arguments, target_arguments = await make_arguments("sqlite"), await make_arguments(kind)
    for arguments in (source_arguments, target_arguments):
        store = await open_store(**arguments)
        await store.tasks.save_tasks([JulesTask(id=arguments["kind"] + "1")])
        await store.aclose()
    with pytest.raises(InvalidInputError, match="holds data already"):
        await moved(source_arguments, target_arguments)
    store = await open_store(**target_arguments)
    assert [kind + "1"] == [task.id for task in await _tasks(store)]
    await store.aclose()


async def test_sources_that_are_none(make_arguments, tmp_path):
    """A missing, damaged, foreign or older source is named and left as it is."""
    target = place(await make_arguments("sqlite"))

    async def refused(source: Place, said: str) -> None:
        with pytest.raises(StoreError, match=said):
            await move(source, target, clock=SystemClock(), report=print)
        assert not Path(target.address).exists()

    await refused(Place(kind="sqlite", address=str(tmp_path / "none.db")), "There is no store")
    await refused(Place(kind="json", address=str(tmp_path / "none.json")), "There is no store")
    (tmp_path / "bad.json").write_text("{")
    await refused(Place(kind="json", address=str(tmp_path / "bad.json")), "damaged")
    assert "{" == (tmp_path / "bad.json").read_text()
    with sqlite3.connect(tmp_path / "foreign.db") as connection:
        connection.execute("CREATE TABLE cats (name)")
    connection.close()
    await refused(Place(kind="sqlite", address=str(tmp_path / "foreign.db")), "is no store of jjm")
    arguments = await make_arguments("sqlite")
    await (await open_store(**arguments)).aclose()
    for version, said in (("0000", "older schema"), ("9999", "newer version")):
        with sqlite3.connect(arguments["data_path"]) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.close()
        await refused(place(arguments), said)
    with pytest.raises(InvalidInputError, match="one and the same"):
        await move(target, target, clock=SystemClock(), report=print)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_arrives_wrong_is_not_kept(make_arguments, monkeypatch, kind):
    """When counts or contents differ, the target is as empty as before."""
    source_arguments, target_arguments = await make_arguments("sqlite"), await make_arguments(kind)
    source = await open_store(**source_arguments)
    await fill(source, jobs=False)
    await source.aclose()
    calls = []

    async def wrong(records):
        calls.append(records)
        found = dict(await extents(records))
        return found if len(calls) == 1 else {**found, "notes": Extent(count=2, digest=1)}

    monkeypatch.setattr(moving, "extents", wrong)
    with pytest.raises(StoreError, match=r"not what was sent \(notes\)"):
        await moved(source_arguments, target_arguments)
    store = await open_store(**target_arguments)
    assert ([], []) == (await _tasks(store), await _events(store))
    await store.aclose()


async def test_a_killed_move_leaves_nothing_and_can_be_repeated(make_arguments):
    """Killed with half of it sent, the target is empty; the same command then does it whole."""
    source_arguments, target_arguments = await make_arguments("sqlite"), await make_arguments("postgresql")  # fmt: skip
    source = await open_store(**source_arguments)
    await fill(source, jobs=True)
    await source.aclose()
    await (await open_store(**target_arguments)).aclose()
    url = target_arguments["database_url"]
    argv = [
        sys.executable, "-m", "jules_job_manager", "storage", "migrate",
        "--from", f"sqlite:{source_arguments['data_path']}", "--to", url,
    ]  # fmt: skip
    environ = {**os.environ, "JJM_HOME": str(source_arguments["data_path"].parent)}
    blocker = await asyncpg.connect(url)
    watcher = await asyncpg.connect(url)
    lock = blocker.transaction()
    await lock.start()
    await blocker.execute("LOCK TABLE jobs IN SHARE MODE")  # readers go on, the move waits here
    process = subprocess.Popen(argv, env=environ, stderr=subprocess.PIPE)  # noqa: ASYNC220
    async with asyncio.timeout(60):
        while not await watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    await lock.rollback()
    async with asyncio.timeout(60):
        while await watcher.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid NOT IN ($1, $2)",
            blocker.get_server_pid(), watcher.get_server_pid(),
        ):  # fmt: skip
            pass
    assert 0 == await watcher.fetchval("SELECT count(*) FROM tasks")
    await blocker.close()
    await watcher.close()
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    assert "tasks\t1204\t" in done.stdout
    target = await open_store(**target_arguments)
    assert 3 == len(await target.jobs.list_jobs())
    await target.aclose()


async def test_a_file_made_by_hand(make_arguments):
    """The form of ticket JJM-005 moves too, and repeats in it are kept once."""
    source_arguments, target_arguments = await make_arguments("json"), await make_arguments("sqlite")  # fmt: skip
    path = source_arguments["data_path"]
    path.parent.mkdir(parents=True)
    patch = '{"kind": "change_set", "unidiff_patch": "x"}'
    path.write_text(
        f'{{"tasks": [{{"id": "1"}}], "plans": {{"1": [{{}}, {{}}], "gone": [{{}}]}}, "patches": {{"1": [{patch}]}}}}'
    )
    sent = await moved(source_arguments, target_arguments)
    assert (1, 1, 1) == (sent["tasks"].count, sent["plans"].count, sent["patches"].count)
    path.write_text('{"tasks": [{"id": "1"}], "patches": {"1": [{}]}}')
    with pytest.raises(StoreError, match="no change set"):
        await asyncio.to_thread(JsonFile(path, SystemClock()).look)


def test_places():
    """A store is named by kind and place, or by kind alone for the usual one."""
    usual = {"sqlite": "/h/jjm.db", "json": "/h/tasks.json", "postgresql": ""}
    assert Place(kind="json", address="/a.json") == place_from("json:/a.json", **usual)
    assert Place(kind="sqlite", address="/h/jjm.db") == place_from("sqlite", **usual)
    for url in ("postgresql://u@h/n", "postgres://u@h/n"):
        assert Place(kind="postgresql", address=url) == place_from(url, **usual)
    for wrong in ("", "mysql:x", "postgresql:x", "postgresql"):
        with pytest.raises(InvalidInputError):
            place_from(wrong, **usual)


def test_no_table_is_forgotten():
    """Every table of the schema is moved and merged, those that others point to first."""
    kept = [t for t in metadata.sorted_tables if t.name not in MOMENTARY]
    assert {table.name for table in kept} == set(TABLES)
    places = {name: place for place, name in enumerate(TABLES)}
    for table in kept:
        for key in table.foreign_keys:
            assert places[key.column.table.name] < places[table.name]

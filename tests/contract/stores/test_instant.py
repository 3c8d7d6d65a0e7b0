"""The instant path returns exactly what the store returns, whatever the store holds."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import jobs, tasks

from jules_job_manager.adapters.storage import instant
from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.bootstrap import data_path
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.graph import ready_keys
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.ports.job_store import JobQuery
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.settings.instant import instant_settings
from jules_job_manager.settings.load import load_settings

pytestmark = pytest.mark.integration

hostile = st.sampled_from(["", "\0", '"', "\\", "é", "\ud800", "a/b", "%", "_", "\x1b", "[]", "{}"])
some_jobs = st.lists(
    st.builds(lambda job, text, needs: replace(job, title=job.title + text, reason=text, depends_on=needs),
              jobs, hostile, st.lists(st.sampled_from("abc"), max_size=2).map(tuple))
    | st.builds(lambda job, key, needs: replace(job, key=key, depends_on=needs),
                jobs, st.sampled_from("abc"), st.lists(st.sampled_from("abc"), max_size=2).map(tuple)),
    max_size=6, unique_by=lambda job: job.key,
)  # fmt: skip
some_tasks = st.lists(
    st.builds(lambda task, text: replace(task, title=text, repository=text, backend=text), tasks, hostile)
    | tasks,
    max_size=5, unique_by=lambda task: task.id,
)  # fmt: skip


@pytest.fixture(scope="module")
def empty_store():
    """The file of an empty store, to be copied: making one takes long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jjm.db"

        async def make() -> None:
            await (await open_sqlite(path)).aclose()

        asyncio.run(make())
        yield path


@asynccontextmanager
async def both(empty: Path):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a ?#%41.db"
        shutil.copy(empty, path)
        store = await open_sqlite(path)
        quick = instant.open_instant(str(path))
        assert quick is not None
        try:
            yield store, quick
        finally:
            quick.close()
            await store.aclose()


def test_the_columns_are_those_of_the_schema():
    """No column is forgotten, and JSON is read where the schema writes it."""
    assert list(instant.JOB_FIELDS) != []
    assert {column.name for column in schema.jobs.c} == set(instant.JOB_FIELDS)
    assert {column.name for column in schema.tasks.c} - {"sort_at"} == set(instant.TASK_FIELDS)
    for table, encoded in (
        (schema.jobs, instant.JSON_COLUMNS | {"branch"}),
        (schema.tasks, instant.JSON_COLUMNS),
    ):
        expected = {column.name for column in table.c if isinstance(column.type, schema.JsonText)}
        assert expected == encoded & {column.name for column in table.c}


@given(given_jobs=some_jobs, status=st.none() | st.sampled_from(JobStatus), limit=st.none() | st.integers(1, 4))  # fmt: skip
@settings(max_examples=60)
def test_jobs_are_the_same(empty_store, given_jobs, status, limit):
    """Lists, single jobs, counts and what could start now."""

    async def check() -> None:
        async with both(empty_store) as (store, quick):
            await store.jobs.save_jobs(given_jobs)
            kept = list(await store.jobs.list_jobs())
            listed = await store.jobs.list_jobs(JobQuery(status=status, limit=limit))
            expected = [job.to_dict() for job in listed]
            word = None if status is None else status.value
            assert expected == quick.jobs(instant.JOB_FIELDS, status=word, limit=limit)
            assert (
                [list(job) for job in expected]
                == [
                    list(job)
                    for job in quick.jobs(list(kept[0].to_dict()), status=word, limit=limit)
                ]
                if kept
                else True
            )
            for job in kept:
                assert job.to_dict() == quick.job(job.key, instant.JOB_FIELDS)
            assert quick.job("nope", ("key",)) is None
            assert [job.key for job in kept] == quick.job_keys()
            assert [j.key for j in kept if j.status is status] == quick.job_keys([word or ""])
            assert len([j for j in kept if status in {None, j.status}]) == quick.count_jobs(word)
            counts = quick.job_counts()
            assert {s.value: sum(j.status is s for j in kept) for s in JobStatus} == {
                **dict.fromkeys(map(str, JobStatus), 0), **counts,
            }  # fmt: skip
            assert list(ready_keys(kept)) == quick.startable_keys()
            assert list(ready_keys(kept))[:limit] == quick.startable_keys(limit)

    asyncio.run(check())


@given(given_tasks=some_tasks, status=st.none() | st.sampled_from(TaskStatus), limit=st.integers(1, 4),
       archived=st.booleans(), text=st.none() | hostile, prefix=st.text("0123456789abcdef%_", max_size=2))  # fmt: skip
@settings(max_examples=60)
def test_tasks_are_the_same(empty_store, given_tasks, status, limit, archived, text, prefix):
    """Lists with every filter, single tasks and ids by their beginning."""

    async def check() -> None:
        async with both(empty_store) as (store, quick):
            await store.tasks.save_tasks(given_tasks)
            query = TaskQuery(
                status=status, repository=text, backend=text, include_archived=archived, limit=limit
            )
            page = await store.tasks.list_tasks(query)
            fields = instant.TASK_FIELDS
            assert [{name: t.to_dict()[name] for name in fields} for t in page.tasks] == quick.tasks(
                fields, status=None if status is None else status.value, repository=text,
                backend=text, include_archived=archived, limit=limit,
            )  # fmt: skip
            for task in given_tasks:
                stored = await store.tasks.get_task(task.id)
                assert stored is not None
                assert stored.to_dict() == quick.task(task.id)
            assert quick.task("nope") is None
            found = list(await store.tasks.find_task_ids(prefix, limit=limit))
            assert found == quick.find_task_ids(prefix, limit=limit)

    asyncio.run(check())


async def test_notes_are_the_same(empty_store):
    """Notes too, with texts no database takes."""
    async with both(empty_store) as (store, quick):
        await store.set_note("n\0", "v\0")
        assert await store.get_note("n\0") == quick.note("n\0")
        assert quick.note("none") is None


async def test_leases_are_the_same(empty_store):
    """While somebody has one."""
    async with both(empty_store) as (store, quick):
        assert quick.lease("queue") is None
        lease = await store.leases.acquire("queue", "me", seconds=9)
        assert ("me", to_rfc3339(lease.until)) == quick.lease("queue")
        await store.leases.release(lease)
        assert quick.lease("queue") is None


def test_stores_that_are_not_ready(tmp_path, empty_store):
    """A missing, damaged, empty or older store is left to the long way."""
    assert instant.open_instant(str(tmp_path / "none.db")) is None
    (tmp_path / "letter.db").write_text("a letter" * 100)
    assert instant.open_instant(str(tmp_path / "letter.db")) is None
    (tmp_path / "empty.db").touch()
    assert instant.open_instant(str(tmp_path / "empty.db")) is None
    assert instant.open_instant(str(tmp_path)) is None
    shutil.copy(empty_store, tmp_path / "old.db")
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    assert instant.open_instant(str(tmp_path / "old.db")) is None


async def test_the_instant_path_writes_nothing(empty_store):
    """The connection refuses to write."""
    async with both(empty_store) as (_, quick):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            quick._connection.execute("DELETE FROM tasks")


values = st.sampled_from(["", "sqlite", "json", "postgresql", "rest", "simulator", "~/x.db", "a b.db", "'x", "$HOME", "nonsense", "x#y", "/srv/y.db"])  # fmt: skip
variables = st.sampled_from(["JJM_STORAGE__BACKEND", "JJM_STORAGE__DATA_PATH", "JJM_BACKEND", "JJM_JULES__BACKEND", "JULES_API_KEY", "JJM_CONFIG", "OTHER"])  # fmt: skip
lines = st.builds(lambda export, name, value: f"{export}{name}={value}", st.sampled_from(["", "export ", "  ", "# "]), variables, values)  # fmt: skip
documents = st.dictionaries(
    st.sampled_from(["storage.backend", "storage.data_path", "jules.backend", "jules.api_key"]),
    values,
)


@given(
    environ=st.dictionaries(variables, values),
    dotenv=st.lists(lines, max_size=4),
    document=documents,
)
@settings(max_examples=300)
def test_settings_are_the_same(environ, dotenv, document):
    """Where the cheap reading answers at all, the whole reading gives the same answer."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".env").write_text("\n".join(dotenv), "utf-8")
        text = "".join(
            f"[{name.partition('.')[0]}]\n{name.partition('.')[2]} = '''{value}'''\n"
            for name, value in document.items()
        )
        Path(folder, "config.toml").write_text(text, "utf-8")
        environ = {**environ, "JJM_HOME": folder}
        short = instant_settings(environ, None)
        try:
            long = load_settings(environ)
        except ConfigurationError:
            return  # the long way reports it; a short answer concerns other settings
        if long.storage.backend != "sqlite":
            assert short is None
        if short is not None:
            assert data_path(long) == Path(short.data_path)
            named = long.jules.backend or ("rest" if long.jules.api_key else "")
            assert named == short.backend


@pytest.mark.parametrize(
    ("name", "text"),
    [("config.json", '{"storage": {"data_path": "x.db"}}'), ("config.toml", "[storage]\ndata_path = 'x.db'")],
)  # fmt: skip
def test_both_forms_of_the_file(tmp_path, name, text):
    """TOML and JSON are read; what is wrong in them is left to the long way."""
    (tmp_path / name).write_text(text)
    environ = {"JJM_HOME": str(tmp_path)}
    found = instant_settings(environ, None)
    assert found is not None
    assert "x.db" == found.data_path
    for wrong in ("[", '{"storage": 1}', "storage = 1", '{"storage": {"backend": 1}}', "[1, 2]"):
        (tmp_path / name).write_text(wrong)
        assert instant_settings(environ, None) is None
    (tmp_path / ".env").write_bytes(b"\xff")
    assert instant_settings(environ, None) is None
    assert instant_settings({**os.environ, "JJM_HOME": str(tmp_path)}, str(tmp_path / "no")) is None

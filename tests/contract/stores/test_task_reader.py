"""What reads tasks as text returns exactly what the store returns, on every store."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from tests.strategies import tasks

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.reading.any_store import StoreTaskReader
from jules_job_manager.adapters.storage.reading.opening import task_reader_of
from jules_job_manager.adapters.storage.reading.thread import ReadingThread
from jules_job_manager.domain.json_text import finite, text_of
from jules_job_manager.domain.task import ChatMessage, TaskStatus
from jules_job_manager.errors import InvalidInputError, StoreUnavailableError, TaskNotFoundError
from jules_job_manager.ports.store_probe import Connections
from jules_job_manager.ports.task_reader import standing_of
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.stored_tasks import stored_standing, stored_text

from .test_task_store import NOW, TASK

pytestmark = pytest.mark.integration
ODD = ["1001", "10", "", "\0", "é", "\ud800", "a'b", 'a"b', "%", "_", "1001\n", "x" * 300]
MANY = tuple(
    ChatMessage(content=f'line {n} "é", \ud800', timestamp=NOW, type="user") for n in range(12)
)


@pytest.fixture
async def reader(store):
    made = task_reader_of(store)
    yield made
    await made.aclose()
    await made.aclose()


async def _assert_same(store, reader, task_id: str) -> None:
    task = await store.tasks.get_task(task_id)
    assert await reader.task(task_id) == (None if task is None else text_of(task.to_dict()))
    assert await reader.standing(task_id) == (None if task is None else standing_of(task))


async def _assert_same_lists(store, reader, query: TaskQuery) -> None:
    page, found = await store.tasks.list_tasks(query), await reader.list_tasks(query)
    assert found.items == tuple(finite(text_of(task.to_dict())) for task in page.tasks)
    assert found.next_cursor == page.next_cursor


async def test_a_task_is_the_text_of_what_the_store_returns(store, reader):
    """Chat and files stand in their order; ids are taken as they are, whatever they hold."""
    await store.tasks.save_tasks([replace(TASK, chat_history=MANY)])
    for task_id in ODD:
        await _assert_same(store, reader, task_id)
    await store.tasks.save_tasks([replace(TASK, id=key) for key in ODD if key])
    for task_id in ODD:
        await _assert_same(store, reader, task_id)


async def test_what_was_just_written_is_read(store, reader):
    """Nothing is remembered: a change, an archiving and a deletion show at once."""
    assert await reader.task(TASK.id) is None
    for status in (TaskStatus.PAUSED, TaskStatus.COMPLETED):
        await store.tasks.save_tasks([replace(TASK, status=status, archived=True)])
        await _assert_same(store, reader, TASK.id)
        assert (await reader.standing(TASK.id)).status == status
    await store.tasks.delete_task(TASK.id)
    await _assert_same(store, reader, TASK.id)


async def test_whatever_a_task_holds(store, reader):
    """Any task at all: empty times, plans, outputs, texts of any characters."""
    some = [task for task in _examples() if task.id]
    await store.tasks.save_tasks(some)
    for task in some:
        await _assert_same(store, reader, task.id)
    await _assert_same_lists(store, reader, TaskQuery(include_archived=True, limit=1000))


def _examples():
    found = {}

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(tasks)
    def collect(task):
        found.setdefault(task.id, task)

    collect()
    return list(found.values())


async def test_numbers_that_json_has_not(store, reader):
    """A list has null for them, and no word of a text is taken for one; a task alone is as it is stored."""
    odd = {"a": float("nan"), "b": [float("-inf"), 1.5], "c": 'NaN, "Infinity"'}
    await store.tasks.save_tasks([replace(TASK, title="NaN Infinity", metadata=odd)])
    await _assert_same(store, reader, TASK.id)
    (text,) = (await reader.list_tasks(TaskQuery())).items
    shown = json.loads(text, parse_constant=pytest.fail)
    expected = {"a": None, "b": [None, 1.5], "c": 'NaN, "Infinity"'}
    assert ("NaN Infinity", expected) == (shown["title"], shown["metadata"])


async def test_pages_with_every_set_of_filters(store, reader):
    """Every filter, both orders, page by page: the same tasks and the same cursors."""
    await store.tasks.save_tasks(
        [
            replace(
                TASK, id=f"{n}", status=[TaskStatus.FAILED, TaskStatus.PAUSED][n % 2],
                repository=f"octo/{n % 3}", backend=["rest", "é\0"][n % 2], archived=n % 5 == 0,
                created_at=None if n == 7 else NOW + timedelta(seconds=n),
                updated_at=NOW + timedelta(seconds=n // 2),
            )
            for n in range(20)
        ]
    )  # fmt: skip
    middle = NOW + timedelta(seconds=5)
    for narrowed in (
        {}, {"status": TaskStatus.FAILED}, {"repository": "octo/1"}, {"backend": "é\0"},
        {"backend": "rest", "status": TaskStatus.FAILED}, {"changed_since": middle},
        {"changed_before": middle}, {"created_since": middle}, {"created_before": middle},
        {"search": "tricky"}, {"search": "nothing has this"},
        {"changed_since": NOW, "created_before": middle, "backend": "rest", "repository": "octo/0"},
    ):  # fmt: skip
        for oldest_first in (False, True):
            for archived in (False, True):
                query = TaskQuery(
                    limit=3, oldest_first=oldest_first, include_archived=archived, **narrowed
                )
                while True:
                    await _assert_same_lists(store, reader, query)
                    after = (await reader.list_tasks(query)).next_cursor
                    if after is None:
                        break
                    query = replace(query, after=after)


async def test_what_cannot_be_asked_is_refused_as_by_the_store(store, reader):
    """A limit or a cursor that is none."""
    for query in (TaskQuery(limit=0), TaskQuery(limit=1001), TaskQuery(after="none")):
        with pytest.raises(InvalidInputError):
            await reader.list_tasks(query)


async def test_by_the_beginning_of_an_id(store, reader):
    """A whole id is found at once; else its beginning is, when it is that of one task alone."""
    await store.tasks.save_tasks([replace(TASK, id=key) for key in ("12", "123", "1299", "77x")])
    plain = StoreTaskReader(store.tasks)
    for reference in ("12", "123", "77", "https://jules.google.com/session/77x"):
        text = await stored_text(store, reader, reference)
        assert await stored_text(store, plain, reference) == text
        task_id, standing = await stored_standing(store, reader, reference)
        assert (task_id, standing) == (
            json.loads(text)["id"],
            await reader.standing(task_id),
        )
    with pytest.raises(InvalidInputError, match="More than one"):
        await stored_text(store, reader, "1")
    for unknown, error in (("9", TaskNotFoundError), ("é", InvalidInputError)):
        with pytest.raises(error):
            await stored_text(store, reader, unknown)
        with pytest.raises(error):
            await stored_standing(store, reader, unknown)


async def test_many_at_once_and_some_who_give_up(store, reader):
    """Each gets its own answer, also when others are cancelled meanwhile."""
    await store.tasks.save_tasks([replace(TASK, id=f"{n}") for n in range(30)])

    async def ask(number: int) -> str | None:
        if number == 59:  # the last: all the others wait for their answers
            for task in asked[::7]:
                task.cancel()
        return await reader.task(f"{number}")

    asked = [asyncio.ensure_future(ask(number)) for number in range(60)]
    for number, answer in enumerate(await asyncio.gather(*asked, return_exceptions=True)):
        # Who gives up may have been answered already.
        if number % 7 or not isinstance(answer, asyncio.CancelledError):
            assert (None if number >= 30 else f"{number}") == (
                None if answer is None else json.loads(answer)["id"]
            )


async def test_when_the_fast_way_fails_the_store_answers(sql_arguments):
    """A reader that lost what it reads from says what the store says."""
    store = await open_store(**sql_arguments)
    reader = task_reader_of(store)
    try:
        await store.tasks.save_tasks([TASK])
        await reader.aclose()
        if store.kind == "postgresql":
            await _assert_same(store, reader, TASK.id)
            await _assert_same_lists(store, reader, TaskQuery())
        else:
            with pytest.raises(StoreUnavailableError):
                await reader.task(TASK.id)
    finally:
        await store.aclose()


async def test_its_connections_are_told(sql_arguments):
    """On PostgreSQL it has some of its own; while one is at work, it is in use."""
    store = await open_store(**sql_arguments)
    reader = task_reader_of(store)
    try:
        if store.kind != "postgresql":
            assert not hasattr(reader, "connections")
            return
        assert Connections(in_use=0, idle=0) == reader.connections()
        await reader.task(TASK.id)
        assert Connections(in_use=0, idle=1) == reader.connections()
        async with reader._pool.acquire():
            assert Connections(in_use=1, idle=0) == reader.connections()
    finally:
        await reader.aclose()
        await store.aclose()


async def test_who_waits_for_a_lock_holds_up_nobody(make_arguments):
    """While SQLite is locked as a whole, the event loop goes on; then the answer comes."""
    arguments = await make_arguments("sqlite")
    store = await open_store(**arguments)
    reader = task_reader_of(store)
    await store.tasks.save_tasks([TASK])
    await store.aclose()  # the last to close ends the write-ahead log; the lock is that of the file
    with closing(sqlite3.connect(arguments["data_path"])) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        waiting = asyncio.ensure_future(reader.task(TASK.id))
        await asyncio.to_thread(len, "the loop turns")
        assert not waiting.done()
        other.execute("COMMIT")
    answer = await waiting
    assert answer is not None
    assert json.loads(answer)["id"] == TASK.id
    await reader.aclose()


async def test_a_thread_raises_what_happens_in_it():
    """What fails is raised where it was asked for, opening is tried again, and closing closes."""
    tries, closed = [], []

    def opened():
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return "resource"

    thread = ReadingThread(open=opened, close=closed.append, name="test")
    with pytest.raises(OSError, match="not yet"):
        await thread.run(len)
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda _: 1 // 0)
    assert await asyncio.gather(*(thread.run(len) for _ in range(5))) == [8] * 5
    await thread.aclose()
    assert closed == ["resource"]
    with pytest.raises(StoreUnavailableError):
        await thread.run(len)

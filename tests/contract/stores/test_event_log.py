"""The event log can be followed without gaps, and read by what is wanted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
import sqlalchemy as sa
from tests.contract.stores.filling import NOW, event, fill
from tests.waiting import until

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.event_filter import EventFilter
from jules_job_manager.domain.job import Job

pytestmark = pytest.mark.integration
_INSERT = (
    "INSERT INTO task_events (type, subject, at, actor, data) VALUES ($1, 's', now(), 'a', '{}')"
)


async def _postgresql(make_arguments):
    arguments = await make_arguments("postgresql")
    return arguments, await open_store(**arguments)


async def test_without_the_trigger_a_reader_misses_an_event(make_arguments):
    """The danger is real: of two transactions, the one with the greater id may be seen first."""
    arguments, store = await _postgresql(make_arguments)
    slow = await asyncpg.connect(arguments["database_url"])
    quick = await asyncpg.connect(arguments["database_url"])
    await quick.execute("DROP TRIGGER jjm_events_in_order ON task_events")
    begun = slow.transaction()
    await begun.start()
    await slow.execute(_INSERT, "first")
    await quick.execute(_INSERT, "second")
    seen = await store.events.read()
    await begun.commit()
    after = await store.events.read(after_id=seen[-1].id)
    assert ["second"] == [found.type for found in seen]
    assert [] == list(after), "the first one is there now, and nobody who reads on sees it"
    assert ["first", "second"] == [found.type for found in await store.events.read()]
    await slow.close()
    await quick.close()
    await store.aclose()


async def test_a_transaction_that_writes_events_waits_for_the_one_before_it(make_arguments):
    """With the trigger the second writer takes its id only when the first one can be seen."""
    arguments, store = await _postgresql(make_arguments)
    slow = await asyncpg.connect(arguments["database_url"])
    watch = await asyncpg.connect(arguments["database_url"])
    begun = slow.transaction()
    await begun.start()
    await slow.execute(_INSERT, "first")
    second = asyncio.create_task(store.events.append([event(2)]))
    await until(lambda: watch.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    assert [] == list(await store.events.read())
    await begun.commit()
    written = await second
    assert ["first", "t"] == [found.type for found in await store.events.read()]
    assert written[0] == (await store.events.read())[1]
    await slow.close()
    await watch.close()
    await store.aclose()


async def test_a_reader_misses_nothing_that_many_write_at_once(store, store_arguments):
    """Whoever remembers the last id it read gets each event once, in order, under load."""
    writers, each = 6, 15
    others = [await open_store(**store_arguments) for _ in range(2)]
    seen: list[int] = []

    async def write(number: int) -> None:
        mine = [store, *others][number % 3]
        for n in range(each):
            await mine.events.append([event(number * 1000 + n), event(number * 1000 + n + 500)])

    async def follow() -> None:
        last = 0
        while len(seen) < writers * each * 2:
            found = await store.events.read(after_id=last, limit=1000)
            last = found[-1].id if found else last
            seen.extend(one.data["n"] for one in found)

    async with asyncio.timeout(60):
        await asyncio.gather(follow(), *(write(number) for number in range(writers)))
    assert len(seen) == len(set(seen))
    assert seen == [one.data["n"] for one in await store.events.read(limit=1000)]
    for other in others:
        await other.aclose()


async def test_reading_what_is_wanted(store):
    """Types, subjects, their beginnings, and time each choose; none of them chooses all."""
    given = [
        NewEvent(type=kind, subject=subject, at=NOW + timedelta(minutes=n))
        for n, (kind, subject) in enumerate(
            [("a", "task:1"), ("b", "task:2"), ("c", "job:1"), ("a", "Task:9"), ("b", "job:1")]
        )
    ]
    await store.events.append(given)

    async def read(**choice):
        found = await store.events.read(matching=EventFilter(**choice))
        assert found == [e for e in await store.events.read() if EventFilter(**choice).wants(e)]
        return [(one.type, one.subject) for one in found]

    everything = [(one.type, one.subject) for one in given]
    assert everything == await read()
    assert [everything[n] for n in (0, 2, 3)] == await read(types=frozenset({"a", "c"}))
    assert everything[:2] == await read(subject_prefixes=("task:",))
    assert [everything[n] for n in (0, 1, 2, 4)] == await read(
        subject_prefixes=("task:",), subjects=frozenset({"job:1"})
    )
    assert everything[1:3] == await read(
        since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=3)
    )
    assert [everything[4]] == await read(types=frozenset({"b"}), subjects=frozenset({"job:1"}))


async def test_reading_backwards_page_by_page(store):
    """The newest come first, and the last one of a page leads to the next."""
    await store.events.append([event(n) for n in range(5)])
    first = await store.events.read(newest_first=True, limit=2)
    second = await store.events.read(newest_first=True, limit=2, before_id=first[-1].id)
    rest = await store.events.read(newest_first=True, limit=9, before_id=second[-1].id)
    assert [4, 3, 2, 1, 0] == [one.data["n"] for one in (*first, *second, *rest)]
    between = await store.events.read(after_id=rest[-1].id, before_id=first[-1].id)
    assert [1, 2] == [one.data["n"] for one in between]


async def test_listeners_are_told_of_everything_that_is_kept(store):
    """Whichever method wrote it, an event is told once, after it is there."""
    told: list[NewEvent] = []
    store.events.tell(told.extend)
    await fill(store, jobs=store.kind != "json")
    await store.events.append([event(20), event(21)])
    kept = await store.events.read(limit=1000)
    assert [(one.subject, one.data) for one in told] == [(one.subject, one.data) for one in kept]


async def test_listeners_are_not_told_of_what_is_undone(sql_store):
    """A transaction that fails, or is refused, has written nothing."""
    told: list[NewEvent] = []
    sql_store.events.tell(told.extend)

    async def fail() -> None:
        async with transaction(sql_store.engine, writes=True) as connection:
            await insert_events(connection, [event(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    job = Job(key="a", title="t", prompt="p")
    assert not await sql_store.jobs.swap_jobs({"a": job}, [job], events=[event(2)])
    assert [] == told
    await sql_store.events.append([event(3)])
    assert [3] == [one.data["n"] for one in told]


async def test_numbers_do_not_end_at_31_bits(sql_store):
    """One above 2^31 can be asked for, and given."""
    far = 2**31 + 5
    assert [] == await sql_store.events.read(after_id=2**62 - 1, before_id=2**62 + 1)
    assert [] == await sql_store.webhooks.list_deliveries(before_id=2**62)
    assert None is await sql_store.webhooks.get_delivery(2**62)
    assert [] == await sql_store.audit.read(after_number=far, before_number=2**62)
    async with transaction(sql_store.engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            for table in ("task_events", "quota_ledger", "webhook_deliveries"):
                await connection.execute(sa.text(f"SELECT setval('{table}_id_seq', {far})"))
        else:
            await connection.execute(
                sa.text(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('task_events', {far})")
            )
    (written,) = await sql_store.events.append([event(1)])
    assert far + 1 == written.id
    (found,) = await sql_store.events.read(after_id=far)
    assert written == found

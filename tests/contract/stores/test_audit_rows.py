"""The audit log in rows: one chain, whoever writes, that the database keeps from being changed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.domain.audit import MASK, NewAuditEntry, Verification
from jules_job_manager.errors import DamagedStoreError, StoreError
from jules_job_manager.ports.audit_log import AuditQuery

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def entry(number: int = 0, **more) -> NewAuditEntry:
    values = {
        "at": NOW + timedelta(days=number),
        "actor": "ada",
        "kind": "key",
        "operation": "key.create",
    }
    return NewAuditEntry(**{**values, **more})


async def verified(store, **more) -> Verification:
    chain = Verification(**more)
    for found in await store.audit.read(limit=1000):
        chain = chain.after(found)
    return chain.ended()


async def executed(store, statement: str) -> None:
    async with transaction(store.engine, writes=True) as connection:
        await connection.execute(sa.text(statement))


async def test_entries_come_back_as_they_were_added(sql_store):
    """Also those with odd texts and deep values; secrets are masked."""
    odd = entry(
        actor="a\0\ud800", resource="task:東京", address="::1", request_id="r", result="refused",
        before={"title": "\0", "n": [1, 2.5, None, True]}, after={"api_key": "hunter22"},
    )  # fmt: skip
    added = await sql_store.audit.append([odd, entry(1)])
    assert [1, 2] == [found.number for found in added]
    assert added == await sql_store.audit.read()
    assert {"api_key": MASK} == added[0].after
    assert () == (await verified(sql_store)).problems
    assert [] == await sql_store.audit.append([])


async def test_many_writers_make_one_chain(sql_arguments):
    """Programs that write at once wait for each other; no link is missing or doubled."""
    stores = [await open_store(**sql_arguments) for _ in range(4)]
    await asyncio.gather(*(stores[n % 4].audit.append([entry(n), entry(n)]) for n in range(20)))
    chain = await verified(stores[0])
    assert () == chain.problems
    assert 40 == chain.count
    for store in stores:
        await store.aclose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'eve' WHERE number = 2",
        "UPDATE audit_log SET hash = hash",
        "DELETE FROM audit_log WHERE number = 2",
        "DELETE FROM audit_log",
    ],
)
async def test_the_database_refuses_changes(sql_store, statement):
    """What was written stays, unless the triggers are taken away first."""
    await sql_store.audit.append([entry(n) for n in range(3)])
    with pytest.raises(StoreError, match="only added to"):
        await executed(sql_store, statement)
    assert 3 == (await verified(sql_store)).count


async def test_truncating_is_refused(sql_store, sql_arguments):
    """PostgreSQL has one more way to remove rows."""
    if sql_arguments["kind"] == "postgresql":
        await sql_store.audit.append([entry()])
        with pytest.raises(StoreError, match="only added to"):
            await executed(sql_store, "TRUNCATE audit_log")


async def _without_triggers(store, kind: str) -> None:
    if kind == "postgresql":
        await executed(store, "ALTER TABLE audit_log DISABLE TRIGGER USER")
    else:
        await executed(store, "DROP TRIGGER audit_log_no_update")
        await executed(store, "DROP TRIGGER audit_log_no_delete")


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        ("UPDATE audit_log SET actor = 'eve' WHERE number = 3", {"changed"}),
        ("UPDATE audit_log SET \"after\" = '1' WHERE number = 3", {"changed"}),
        ("DELETE FROM audit_log WHERE number = 3", {"missing"}),
        ("DELETE FROM audit_log WHERE number < 3", {"missing"}),
        ("DELETE FROM audit_log WHERE number > 3", {"head"}),
        ("DELETE FROM audit_log", {"head"}),
    ],
)
async def test_what_somebody_did_with_more_rights_shows(sql_store, sql_arguments, statement, kinds):
    """Triggers can be taken away by who owns the database; the chain still tells."""
    added = await sql_store.audit.append([entry(n) for n in range(5)])
    await _without_triggers(sql_store, sql_arguments["kind"])
    await executed(sql_store, statement)
    chain = await verified(sql_store, expected_head=added[-1].hash)
    assert kinds == {problem.kind for problem in chain.problems}


async def test_an_entry_that_is_no_json_any_more(sql_store, sql_arguments):
    """It is reported in words."""
    await sql_store.audit.append([entry()])
    await _without_triggers(sql_store, sql_arguments["kind"])
    await executed(sql_store, "UPDATE audit_log SET \"after\" = '{'")
    with pytest.raises(DamagedStoreError, match="cannot be read"):
        await sql_store.audit.read()


async def test_retention_keeps_the_chain_whole(sql_store):
    """The oldest go, an anchor stands for them, and a head of those that went is still known."""
    added = await sql_store.audit.append([entry(n) for n in range(6)])
    log = sql_store.audit
    old = NOW + timedelta(days=3)
    anchor = await log.remove_before(old, at=NOW + timedelta(days=9), actor="jjm", kind="system")
    assert (7, 3) == (anchor.number, anchor.removed_through)
    assert [4, 5, 6, 7] == [found.number for found in await log.read()]
    for head in (added[-1].hash, anchor.hash, added[2].hash):
        assert () == (await verified(sql_store, expected_head=head)).problems
    assert await log.remove_before(old, at=NOW, actor="jjm", kind="system") is None
    everything = NOW + timedelta(days=99)
    anchor = await log.remove_before(everything, at=everything, actor="jjm", kind="system")
    assert [anchor] == list(await log.read())
    assert () == (await verified(sql_store)).problems
    (after,) = await log.append([entry(100)])
    assert 9 == after.number
    assert () == (await verified(sql_store)).problems


async def test_an_entry_out_of_time_keeps_what_is_behind_it(sql_store):
    """A clock that was wrong makes retention keep more, never less."""
    await sql_store.audit.append([entry(5), entry(0), entry(1)])
    later = NOW + timedelta(days=3)
    assert await sql_store.audit.remove_before(later, at=later, actor="jjm", kind="s") is None


async def test_queries(sql_store):
    """By time, actor, operation with its area, resource, result and request; paged both ways."""
    log = sql_store.audit
    await log.append(
        [
            entry(0), entry(1, actor="bob", operation="keyring.read"), entry(2, resource="task:1", operation="key"),
            entry(3, result="refused", request_id="r1"), entry(4, operation="key%"),
        ]
    )  # fmt: skip

    async def numbers(query=None, **more):
        return [found.number for found in await log.read(query, **more)]

    day = timedelta(days=1)
    assert [2, 3] == await numbers(AuditQuery(since=NOW + day, until=NOW + 3 * day))
    assert [2] == await numbers(AuditQuery(actor="bob"))
    assert [1, 3, 4] == await numbers(AuditQuery(operation="key"))
    assert [5] == await numbers(AuditQuery(operation="key%"))
    assert [3] == await numbers(AuditQuery(resource="task:1"))
    assert [4] == await numbers(AuditQuery(result="refused", request_id="r1"))
    assert [5, 4] == await numbers(newest_first=True, limit=2)
    assert [3, 2] == await numbers(newest_first=True, before_number=4, limit=2)
    assert [4, 5] == await numbers(after_number=3)

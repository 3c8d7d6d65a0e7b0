"""Merges keys and the audit log of a local store that stood in for the database.

Entries get a new place at the end of the database's chain, their contents as they were.
The local log stays, since it is only ever added to; a
note of the local store says how far it was merged, and one of the database the same by its identity.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.audit_rows import append_entries
from jules_job_manager.adapters.storage.sql.records import SqlRecords, row_of
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.audit import NewAuditEntry

_LOCAL_NOTE = "fallback.audit"
_NEW = tuple(
    schema.audit_log.c[name]
    for name in ("at", "actor", "kind", "operation", "resource", "result", "request_id", "address",
                 "before", "after")
)  # fmt: skip


async def merge_keys(ours: SqlRecords, theirs: AsyncConnection) -> int:
    """Add the keys that the database lacks, and end those that were ended here; return how many."""
    columns, count = schema.access_keys.c, 0
    async for records in ours.read("access_keys"):
        for record in records:
            row = row_of(schema.access_keys, record)
            statement = upsert(theirs, schema.access_keys).values(**row)
            changed = {
                name: sa.func.coalesce(statement.excluded[name], columns[name])
                for name in ("expires_at", "revoked_at", "last_used_at")
            }
            await theirs.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_=changed)
            )
            count += 1
    return count


async def merge_audit(local: AsyncConnection, theirs: AsyncConnection, identity: str) -> int:
    """Add the local entries that the database has not; return how many."""
    mark = f"fallback.audit.{identity}"
    last = int(await _note(theirs, mark) or 0)
    log = schema.audit_log.c
    query = sa.select(log.number, *_NEW).where(log.number > last).order_by(log.number)
    rows = (await local.execute(query)).mappings().all()
    if rows:
        entries = [
            NewAuditEntry(**{name: value for name, value in row.items() if name != "number"})
            for row in rows
            if row["operation"] != "audit.retention"  # it is about the other chain
        ]
        await append_entries(theirs, entries)
        await _set_note(theirs, mark, str(rows[-1]["number"]))
    return len(rows)


async def count_unmerged_entries(local: AsyncConnection) -> int:
    """Return how many entries of the local log were not merged yet."""
    last = int(await _note(local, _LOCAL_NOTE) or 0)
    log = schema.audit_log
    query = sa.select(sa.func.count()).select_from(log).where(log.c.number > last)
    return int((await local.execute(query)).scalar_one())


async def note_merged_entries(local: AsyncConnection) -> None:
    """Write down in the local store that all of its entries are merged."""
    newest = (await local.execute(sa.select(sa.func.max(schema.audit_log.c.number)))).scalar()
    if newest is not None:
        await _set_note(local, _LOCAL_NOTE, str(newest))


async def _note(connection: AsyncConnection, name: str) -> str | None:
    query = sa.select(schema.notes.c.value).where(schema.notes.c.name == name)
    return (await connection.execute(query)).scalar_one_or_none()


async def _set_note(connection: AsyncConnection, name: str, value: str) -> None:
    statement = upsert(connection, schema.notes).values(name=name, value=value)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )

"""Merges jobs, attempts and reviews that were written locally while the database was away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from jules_job_manager.adapters.storage.records import Record
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.records import SqlRecords, row_of
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.job import AttemptState, JobStatus

_LIVE = {state.value for state in AttemptState if state.is_live}


async def merge_jobs(ours: SqlRecords, theirs: AsyncConnection) -> Mapping[str, int]:
    """Merge the queue; return counts by table.

    A job that only one side has begun is taken as that side has it. One that both have begun stays
    as the database has it, gets the other attempts too, and waits for a person when both are at
    work: nobody else can tell which of the two tasks shall go on.
    """
    counts = dict.fromkeys(("jobs", "attempts", "reviews"), 0)
    attempts: dict[str, list[Record]] = {}
    async for records in ours.read("attempts"):
        for record in records:
            attempts.setdefault(record["job_key"], []).append(record)
    async for records in ours.read("jobs"):
        for record in records:
            mine = attempts.get(record["key"], [])
            counts["jobs"] += await _merge_job(theirs, record, has_begun=bool(mine))
            counts["attempts"] += await _merge_attempts(theirs, record["key"], mine)
    async for records in ours.read("reviews"):
        for record in records:
            counts["reviews"] += await _insert_missing(theirs, schema.reviews, record)
    return counts


async def _merge_job(theirs: AsyncConnection, record: Record, *, has_begun: bool) -> int:
    if await _insert_missing(theirs, schema.jobs, record):
        return 1
    columns = schema.attempts.c
    begun = sa.select(sa.literal(1)).where(columns.job_key == record["key"]).limit(1)
    if not has_begun or (await theirs.execute(begun)).scalar() is not None:
        return 0
    row = row_of(schema.jobs, record)
    key = row.pop("key")
    await theirs.execute(sa.update(schema.jobs).where(schema.jobs.c.key == key).values(row))
    return 1


async def _merge_attempts(theirs: AsyncConnection, key: str, records: list[Record]) -> int:
    columns = schema.attempts.c
    query = sa.select(columns.mark, columns.number, columns.state).where(columns.job_key == key)
    known = (await theirs.execute(query)).all()
    marks = {found.mark for found in known}
    numbers = {found.number for found in known}
    is_live = any(found.state in _LIVE for found in known)
    new = [record for record in records if record["mark"] not in marks]
    for record in new:
        number = record["number"] if record["number"] not in numbers else max(numbers) + 1
        numbers.add(number)
        row = {**row_of(schema.attempts, record), "number": number}
        if row["state"] in _LIVE and is_live:
            row["state"] = AttemptState.ABANDONED.value
            await _ask_a_person(theirs, key, row["task_id"])
        is_live = is_live or row["state"] in _LIVE
        await theirs.execute(sa.insert(schema.attempts), [row])
    return len(new)


async def _ask_a_person(theirs: AsyncConnection, key: str, task_id: str) -> None:
    reason = f"also begun as task {task_id or 'not yet known'} while the database was away"
    values = {"status": JobStatus.NEEDS_YOU.value, "reason": reason}
    await theirs.execute(sa.update(schema.jobs).where(schema.jobs.c.key == key).values(values))


async def _insert_missing(theirs: AsyncConnection, table: sa.Table, record: Record) -> int:
    row: dict[str, Any] = row_of(table, record)
    statement = upsert(theirs, table).on_conflict_do_nothing()
    return int((await theirs.execute(statement.values(row))).rowcount)

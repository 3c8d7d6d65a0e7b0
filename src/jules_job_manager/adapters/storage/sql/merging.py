"""Merges what was written locally while PostgreSQL was away into the database.

Everything is merged in one transaction of the database, and only then taken from the local store,
which stays in place for programs that still write to it. Ended at any instant, it is repeated by
the next merge and doubles nothing: activities, plans, patches, attempts and reviews have keys, and
the database notes which events of which local store it has.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.records import TABLES, Record
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.adapters.storage.sql.merging_access import (
    count_unmerged_entries,
    merge_audit,
    merge_keys,
    note_merged_entries,
)
from jules_job_manager.adapters.storage.sql.merging_jobs import merge_jobs
from jules_job_manager.adapters.storage.sql.records import SqlRecords, row_of
from jules_job_manager.adapters.storage.sql.store import SqlStore
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.event import NewEvent

_OWN_NOTES = "fallback."
_ID_NOTE = "fallback.id"
_SHORT_LIVED = {"observer.last_look"}
_KEYS = {"activities": "id", "plans": "fingerprint", "patches": "sha256"}


async def merge(local: SqlStore, database: AsyncEngine) -> Mapping[str, int]:
    """Move everything from the local store into the database; return counts by table.

    A task that both have keeps the state that was seen last, and the conversation, activities,
    plans and patches of both.

    Raises:
        StoreError: one of the stores failed; nothing was taken from the local one.
    """
    identity = await local.get_note(_ID_NOTE)
    if identity is None:
        identity = uuid.uuid4().hex
        # Kept before anything else: the database knows this store's events by it.
        await local.set_note(_ID_NOTE, identity)
    async with transaction(local.engine, writes=True) as ours:
        async with transaction(database, writes=True) as theirs:
            merged = await _Merge(ours, theirs, identity).run()
        await _take_away(ours)
    return merged


async def count_waiting(local: SqlStore) -> Mapping[str, int]:
    """Return how much of each table there is to merge; tables with none are left out."""
    found = {}
    async with transaction(local.engine, writes=False) as connection:
        for name in TABLES:
            table = schema.metadata.tables[name]
            query = sa.select(sa.func.count()).select_from(table)
            if table is schema.notes:
                query = query.where(table.c.name.not_in(_SHORT_LIVED), ~_is_own(table))
            if table is schema.audit_log:
                found[name] = await count_unmerged_entries(connection)
                continue
            found[name] = (await connection.execute(query)).scalar_one()
    return {name: count for name, count in found.items() if count}


class _Merge:
    def __init__(self, ours: AsyncConnection, theirs: AsyncConnection, identity: str) -> None:
        self._local = ours
        self._ours = SqlRecords(ours, "")
        self._theirs = theirs
        self._identity = identity
        self._mark = f"{_OWN_NOTES}merged.{identity}"
        self._counts = dict.fromkeys(TABLES, 0)

    async def run(self) -> Mapping[str, int]:
        async for tasks in self._ours.read("tasks"):
            await self._merge_tasks(tasks)
        for name in ("chat_messages", "source_files"):
            for task_id, records in (await self._by_task(name)).items():
                await self._merge_list(name, task_id, records)
        for name, key in _KEYS.items():
            for task_id, records in (await self._by_task(name)).items():
                await self._merge_kept(name, key, task_id, records)
        self._counts.update(await merge_jobs(self._ours, self._theirs))
        await self._merge_notes()
        self._counts["access_keys"] = await merge_keys(self._ours, self._theirs)
        self._counts["audit_log"] = await merge_audit(self._local, self._theirs, self._identity)
        await self._merge_webhooks()
        await self._merge_events()
        return {name: count for name, count in self._counts.items() if count}

    async def _merge_tasks(self, records: Sequence[Record]) -> None:
        rows = [row_of(schema.tasks, record) for record in records]
        columns = schema.tasks.c
        wanted = columns.id.in_([row["id"] for row in rows])
        query = sa.select(columns.id, columns.seen_at).where(wanted).order_by(columns.id)
        found = (await self._theirs.execute(query.with_for_update())).all()
        theirs = {there.id: there.seen_at for there in found}
        later = [row for row in rows if not _is_later(theirs.get(row["id"]), row["seen_at"])]
        if not later:
            return
        statement = upsert(self._theirs, schema.tasks)
        changed = {
            name: statement.excluded[name] for name in later[0] if name not in {"id", "plan"}
        }
        changed["plan"] = sa.func.coalesce(statement.excluded.plan, columns.plan)
        await self._theirs.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_=changed), later
        )
        self._counts["tasks"] += len(later)

    async def _by_task(self, name: str) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        async for records in self._ours.read(name):
            for record in records:
                found.setdefault(record["task_id"], []).append(record)
        return found

    async def _merge_list(self, name: str, task_id: str, records: Sequence[Record]) -> None:
        """Add what the database's list has not, in the order of time where there is one."""
        table = schema.metadata.tables[name]
        column = "message" if table is schema.chat_messages else "file"
        query = sa.select(table.c[column]).where(table.c.task_id == task_id)
        theirs = list((await self._theirs.execute(query.order_by(table.c.position))).scalars())
        known = list(theirs)
        new = []
        for record in records:
            if record[column] in known:
                known.remove(record[column])  # the same text twice is two messages
            else:
                new.append(record[column])
        if not new:
            return
        whole = _in_order([*theirs, *new])
        await self._theirs.execute(sa.delete(table).where(table.c.task_id == task_id))
        rows = [{"task_id": task_id, "position": n, column: item} for n, item in enumerate(whole)]
        await self._theirs.execute(sa.insert(table), rows)
        self._counts[name] += len(new)

    async def _merge_kept(
        self, name: str, key: str, task_id: str, records: Sequence[Record]
    ) -> None:
        table = schema.metadata.tables[name]
        query = sa.select(table.c[key], table.c.position).where(table.c.task_id == task_id)
        theirs = (await self._theirs.execute(query)).all()
        known = {found[0] for found in theirs}
        place = max((found[1] for found in theirs), default=-1)
        new = [record for record in records if record[key] not in known]
        rows = [{**record, "position": place + n} for n, record in enumerate(new, start=1)]
        if rows:
            await self._theirs.execute(sa.insert(table), rows)
        self._counts[name] += len(rows)

    async def _merge_events(self) -> None:
        """Add the events that the database has not yet, after all else: others wait meanwhile."""
        notes = schema.notes.c
        query = sa.select(notes.value).where(notes.name == self._mark).with_for_update()
        last = int((await self._theirs.execute(query)).scalar() or 0)
        highest = last
        async for records in self._ours.read("task_events"):
            for record in records:
                highest = max(highest, record["id"])
                if record["id"] > last and record["type"] == "task_deleted":
                    await self._delete_task(record["subject"].removeprefix("task:"))
        await self._set_note(self._mark, str(highest))
        async for records in self._ours.read("task_events"):
            rows = [row_of(schema.task_events, record) for record in records if record["id"] > last]
            for row in rows:
                del row["id"]
            await insert_events(self._theirs, [NewEvent(**row) for row in rows])
            self._counts["task_events"] += len(rows)

    async def _merge_webhooks(self) -> None:
        """Add endpoints; they hear of what comes. Deliveries count by ids of the other store."""
        newest = sa.select(sa.func.coalesce(sa.func.max(schema.task_events.c.id), 0))
        last = (await self._theirs.execute(newest)).scalar_one()
        async for records in self._ours.read("webhook_endpoints"):
            for record in records:
                row = {**row_of(schema.webhook_endpoints, record), "cursor": last}
                statement = upsert(self._theirs, schema.webhook_endpoints).on_conflict_do_nothing()
                added = (await self._theirs.execute(statement.values(row))).rowcount
                self._counts["webhook_endpoints"] += added

    async def _delete_task(self, task_id: str) -> None:
        """Do to the database what was done to the local store, unless the task came back."""
        query = sa.select(sa.literal(1)).where(schema.tasks.c.id == task_id)
        if (await self._local.execute(query)).scalar() is None:
            await self._theirs.execute(sa.delete(schema.tasks).where(schema.tasks.c.id == task_id))

    async def _merge_notes(self) -> None:
        async for records in self._ours.read("notes"):
            for record in records:
                name = record["name"]
                if name not in _SHORT_LIVED and not name.startswith(_OWN_NOTES):
                    await self._set_note(name, record["value"])
                    self._counts["notes"] += 1

    async def _set_note(self, name: str, value: str) -> None:
        statement = upsert(self._theirs, schema.notes)
        changed = {"value": statement.excluded.value}
        await self._theirs.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_=changed),
            [{"name": name, "value": value}],
        )


async def _take_away(ours: AsyncConnection) -> None:
    """Empty the local store; what hangs on tasks and jobs goes with them."""
    tables = (schema.tasks, schema.jobs, schema.task_events, schema.access_keys)
    for table in (*tables, schema.webhook_endpoints):
        await ours.execute(sa.delete(table))
    await ours.execute(sa.delete(schema.notes).where(~_is_own(schema.notes)))
    await note_merged_entries(ours)


def _is_own(notes: sa.Table) -> sa.ColumnElement[bool]:
    return notes.c.name.startswith(_OWN_NOTES, autoescape=True)


def _is_later(one: Any, other: Any) -> bool:
    return one is not None and (other is None or one > other)


def _in_order(items: list[Any]) -> list[Any]:
    times = [item.get("timestamp") for item in items]
    if any(moment is None for moment in times):
        return items
    return sorted(items, key=lambda item: str(item["timestamp"]))

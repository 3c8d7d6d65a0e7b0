"""Records of a SQL store, read and written inside one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.records import BATCH, TABLES, Record
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import (
    AFTER_COPY_OPTION,
    SNAPSHOT_OPTION,
    shown_address,
    transaction,
)
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.text import storable_text

_WORKED_OUT = {
    schema.tasks: {"sort_at"}, schema.attempts: {"sort_at"}, schema.reviews: {"sort_at", "verdict"},
}  # fmt: skip
"""Columns that follow from others, by table."""


class SqlRecords:
    """The RecordSource and RecordTarget of an open transaction."""

    def __init__(self, connection: AsyncConnection, location: str) -> None:
        """Use a connection inside a transaction."""
        self._connection = connection
        self.location = location

    async def read(self, table: str) -> AsyncIterator[list[Record]]:
        """Yield the table's records in batches."""
        chosen = schema.metadata.tables[table]
        worked_out = _WORKED_OUT.get(chosen, set())
        columns = [column for column in chosen.c if column.name not in worked_out]
        query = sa.select(*columns).order_by(*_order(chosen))
        places = _Places(_has_places(chosen))
        async with self._connection.stream(query) as result:
            async for rows in result.mappings().partitions(BATCH):
                yield [places.numbered(_record(chosen, row)) for row in rows]

    async def write(self, table: str, records: Sequence[Record]) -> None:
        """Add records to the table."""
        chosen = schema.metadata.tables[table]
        rows = [row_of(chosen, record) for record in records]
        if rows:
            await self._connection.execute(sa.insert(chosen), rows)

    async def is_empty(self) -> bool:
        """Whether no table holds anything."""
        for table in TABLES:
            query = sa.select(sa.literal(1)).select_from(schema.metadata.tables[table]).limit(1)
            if (await self._connection.execute(query)).scalar() is not None:
                return False
        return True


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[SqlRecords]:
    """Yield the records as they stand at one instant.

    Raises:
        StoreError: the database failed.
    """
    async with transaction(engine, writes=False) as connection:
        await _prepare(connection, SNAPSHOT_OPTION)
        yield SqlRecords(connection, shown_address(engine))


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[SqlRecords]:
    """Yield the records for adding; all or nothing is kept.

    Raises:
        StoreError: the database failed.
    """
    async with transaction(engine, writes=True) as connection:
        yield SqlRecords(connection, shown_address(engine))
        await _prepare(connection, AFTER_COPY_OPTION)


async def _prepare(connection: AsyncConnection, option: str) -> None:
    assert connection.sync_connection is not None
    statement = connection.sync_connection.get_execution_options()[option]
    if statement:
        await connection.execute(sa.text(statement))


class _Places:
    def __init__(self, has_places: bool) -> None:
        self._has_places = has_places
        self._task = ""
        self._next = 0

    def numbered(self, record: Record) -> Record:
        if self._has_places:
            self._next = self._next if record["task_id"] == self._task else 0
            self._task = record["task_id"]
            record["position"] = self._next
            self._next += 1
        return record


def _has_places(table: sa.Table) -> bool:
    return {"task_id", "position"} <= set(table.c.keys()) and table is not schema.jobs


def _order(table: sa.Table) -> list[sa.Column[Any]]:
    if _has_places(table):
        return [table.c.task_id, table.c.position]
    return list(table.primary_key.columns)


def _record(table: sa.Table, row: sa.RowMapping) -> Record:
    record: Record = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            record[name] = to_rfc3339(value)
        elif isinstance(value, str) and isinstance(table.c[name].type, schema.PlainText):
            record[name] = storable_text(value)  # older versions wrote it as it was
        else:
            record[name] = value
    return record


def row_of(table: sa.Table, record: Record) -> dict[str, Any]:
    """Return what the table's columns hold for a record."""
    row: dict[str, Any] = {
        name: from_rfc3339(value)
        if value is not None and isinstance(table.c[name].type, schema.SortableTime)
        else value
        for name, value in record.items()
    }
    if table is schema.tasks:
        row["sort_at"] = row["updated_at"] or row["created_at"] or row["seen_at"] or EPOCH
    elif table is schema.attempts:
        row["sort_at"] = row["created_at"] or EPOCH
    elif table is schema.reviews:
        row["sort_at"] = row["at"] or EPOCH
        row["verdict"] = row["review"]["verdict"]
    return row

"""The quota ledger in rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.ports.quota_ledger import LedgerEntry


class SqlQuotaLedger:
    """The QuotaLedger port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries; a second start with the same mark is ignored."""
        async with transaction(self._engine, writes=True) as connection:
            await insert_entries(connection, entries)

    async def read(self, *, since: datetime) -> Sequence[LedgerEntry]:
        """Return the entries at or after `since`, oldest first."""
        columns = schema.quota_ledger.c
        query = sa.select(columns.account, columns.kind, columns.at, columns.mark, columns.until)
        query = query.where(columns.at >= since).order_by(columns.at, columns.id)
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [LedgerEntry(**row) for row in rows]


async def insert_entries(connection: AsyncConnection, entries: Sequence[LedgerEntry]) -> None:
    """Write entries inside a transaction that is already open."""
    for entry in entries:
        row = {
            "account": entry.account, "kind": entry.kind, "at": entry.at, "mark": entry.mark,
            "until": entry.until,
        }  # fmt: skip
        statement = upsert(connection, schema.quota_ledger).on_conflict_do_nothing()
        await connection.execute(statement, [row])

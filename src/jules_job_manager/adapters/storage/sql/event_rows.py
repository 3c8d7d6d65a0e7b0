"""Events in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import require_limit
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.text import storable_text


class SqlEventLog:
    """The EventLog port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Write events in order and return them with their ids."""
        async with transaction(self._engine, writes=True) as connection:
            key = schema.task_events.c.id
            statement = sa.insert(schema.task_events).returning(key, sort_by_parameter_order=True)
            rows = [_row(event) for event in events]
            ids = (await connection.execute(statement, rows)).scalars() if rows else ()
            return [Event(id=number, **row) for number, row in zip(ids, rows, strict=True)]

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        after_id: int = 0,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first."""
        require_limit(limit)
        table = schema.task_events
        query = sa.select(table).where(table.c.id > after_id).order_by(table.c.id).limit(limit)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if type is not None:
            query = query.where(table.c.type == str(type))
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Event(**row) for row in rows]

    async def last_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        async with transaction(self._engine, writes=False) as connection:
            newest = await connection.execute(sa.select(sa.func.max(schema.task_events.c.id)))
            return newest.scalar_one() or 0


async def insert_events(connection: AsyncConnection, events: Sequence[NewEvent]) -> None:
    """Write events in order inside a transaction that is already open, in one statement."""
    if events:
        await connection.execute(sa.insert(schema.task_events), [_row(event) for event in events])


def _row(event: NewEvent) -> dict[str, Any]:
    return {
        "type": storable_text(str(event.type)),
        "subject": storable_text(event.subject),
        "at": event.at,
        "actor": storable_text(event.actor),
        "data": dict(event.data),
    }

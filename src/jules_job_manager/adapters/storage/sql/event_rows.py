"""Events in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.domain.event import Event, NewEvent


class SqlEventLog:
    """The EventLog port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Write events in order and return them with their ids."""
        async with transaction(self._engine, writes=True) as connection:
            return await insert_events(connection, events)

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        after_id: int = 0,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first."""
        table = schema.task_events
        query = sa.select(table).where(table.c.id > after_id).order_by(table.c.id).limit(limit)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if type is not None:
            query = query.where(table.c.type == str(type))
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Event(**row) for row in rows]


async def insert_events(connection: AsyncConnection, events: Sequence[NewEvent]) -> list[Event]:
    """Write events inside a transaction that is already open."""
    written = []
    for event in events:
        values: dict[str, Any] = {
            "type": str(event.type),
            "subject": event.subject,
            "at": event.at,
            "actor": event.actor,
            "data": dict(event.data),
        }
        statement = sa.insert(schema.task_events).returning(schema.task_events.c.id)
        written.append(
            Event(id=(await connection.execute(statement, values)).scalar_one(), **values)
        )
    return written

"""Events in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import require_limit
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import (
    LISTENERS_OPTION,
    WRITTEN_OPTION,
    transaction,
)
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.event_filter import EVERY_EVENT, EventFilter
from jules_job_manager.domain.text import storable_text
from jules_job_manager.ports.event_log import Listener


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
            _note(connection, events)
            return [Event(id=number, **row) for number, row in zip(ids, rows, strict=True)]

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        matching: EventFilter = EVERY_EVENT,
        after_id: int = 0,
        before_id: int | None = None,
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first."""
        require_limit(limit)
        table = schema.task_events
        order = table.c.id.desc() if newest_first else table.c.id
        query = sa.select(table).where(table.c.id > after_id, *_wanted(matching))
        if before_id is not None:
            query = query.where(table.c.id < before_id)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if type is not None:
            query = query.where(table.c.type == str(type))
        async with transaction(self._engine, writes=False) as connection:
            found = await connection.execute(query.order_by(order).limit(limit))
            rows = found.mappings().all()
        return [Event(**row) for row in rows]

    async def last_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        async with transaction(self._engine, writes=False) as connection:
            newest = await connection.execute(sa.select(sa.func.max(schema.task_events.c.id)))
            return newest.scalar_one() or 0

    def tell(self, listener: Listener) -> None:
        """Call `listener` with all that is written through this engine from now on."""
        self._engine.get_execution_options()[LISTENERS_OPTION].append(listener)


async def insert_events(connection: AsyncConnection, events: Sequence[NewEvent]) -> None:
    """Write events in order inside a transaction that is already open, in one statement.

    It is the last thing to be done in a transaction: on PostgreSQL one transaction at a time writes
    events, from here to its end (ADR 0019), and waiting for anything meanwhile holds up the others.
    """
    if events:
        await connection.execute(sa.insert(schema.task_events), [_row(event) for event in events])
        _note(connection, events)


def _note(connection: AsyncConnection, events: Sequence[NewEvent]) -> None:
    assert connection.sync_connection is not None
    connection.sync_connection.get_execution_options()[WRITTEN_OPTION].extend(events)


def _wanted(matching: EventFilter) -> list[sa.ColumnElement[bool]]:
    columns = schema.task_events.c
    found: list[sa.ColumnElement[bool]] = []
    if matching.types:
        found.append(columns.type.in_(sorted(matching.types)))
    about: list[sa.ColumnElement[bool]] = [
        # Not LIKE, which takes no notice of case on SQLite.
        sa.func.substr(columns.subject, 1, len(prefix)) == storable_text(prefix)
        for prefix in matching.subject_prefixes
    ]
    if matching.subjects:
        about.append(columns.subject.in_(sorted(matching.subjects)))
    if about:
        found.append(sa.or_(*about))
    if matching.since is not None:
        found.append(columns.at >= matching.since)
    if matching.until is not None:
        found.append(columns.at < matching.until)
    return found


def _row(event: NewEvent) -> dict[str, Any]:
    return {
        "type": storable_text(str(event.type)),
        "subject": storable_text(event.subject),
        "at": event.at,
        "actor": storable_text(event.actor),
        "data": dict(event.data),
    }

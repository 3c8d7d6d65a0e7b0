"""Looking at a SQL store from outside."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from jules_job_manager.adapters.storage.revision import HEAD
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import (
    CLOCK_OPTION,
    option,
    shared_now,
    transaction,
)
from jules_job_manager.adapters.storage.sql.migrate import current_revision
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store_probe import Connections, StoreFacts, StoreFigures


class SqlStoreProbe:
    """The StoreProbe port on SQL."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        """Look through an engine of the store; `clock` counts where the database has none."""
        self._engine = engine
        self._clock = clock

    async def look(self) -> StoreFacts:
        """Ask the database once."""
        revision = await current_revision(self._engine)
        async with transaction(self._engine, writes=False) as connection:
            has_clock = bool(option(connection, CLOCK_OPTION))
            now = await shared_now(connection, self._clock) if has_clock else None
        return StoreFacts(revision=revision, wanted_revision=HEAD, now=now)

    async def figures(self) -> StoreFigures:
        """Count what is kept."""
        jobs, tasks, runs = schema.jobs.c, schema.tasks.c, schema.review_runs.c
        oldest = sa.select(sa.func.min(jobs.queued_at)).where(jobs.status == "ready")
        newest = sa.select(sa.func.max(schema.task_events.c.id))
        async with transaction(self._engine, writes=False) as connection:
            now = await shared_now(connection, self._clock)
            since = (await connection.execute(oldest)).scalar_one_or_none()
            return StoreFigures(
                tasks_by_status=await _counts(connection, tasks.status, ~tasks.archived),
                jobs_by_status=await _counts(connection, jobs.status),
                reviews_by_state=await _counts(connection, runs.state),
                oldest_ready=None if since is None else now - since,
                newest_event_id=(await connection.execute(newest)).scalar_one_or_none() or 0,
            )

    def connections(self) -> Connections:
        """Return the connections as they are now."""
        pool = self._engine.pool
        if not isinstance(pool, QueuePool):
            return Connections(in_use=0, idle=0)
        return Connections(in_use=pool.checkedout(), idle=pool.checkedin())


async def _counts(
    connection: AsyncConnection, column: sa.Column[str], *where: sa.ColumnElement[bool]
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(*where).group_by(column)
    return {str(value): int(count) for value, count in await connection.execute(query)}

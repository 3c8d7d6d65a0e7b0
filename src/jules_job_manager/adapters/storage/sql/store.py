"""The whole SQL store."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import shown_address, transaction
from jules_job_manager.adapters.storage.sql.event_rows import SqlEventLog
from jules_job_manager.adapters.storage.sql.job_rows import SqlJobStore
from jules_job_manager.adapters.storage.sql.task_rows import SqlTaskStore
from jules_job_manager.adapters.storage.sql.upsert import upsert


class SqlStore:
    """The Store port on SQLite or PostgreSQL."""

    def __init__(self, engine: AsyncEngine, *, kind: str, warning: str = "") -> None:
        """Use an engine whose schema is up to date; `warning` is shown on every command."""
        self._engine = engine
        self.kind = kind
        self.location = shown_address(engine)
        self.warning = warning
        self.tasks = SqlTaskStore(engine)
        self.events = SqlEventLog(engine)
        self.jobs = SqlJobStore(engine)

    async def get_note(self, name: str) -> str | None:
        """Return a small named text, or None."""
        query = sa.select(schema.notes.c.value).where(schema.notes.c.name == name)
        async with transaction(self._engine, writes=False) as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def set_note(self, name: str, value: str) -> None:
        """Keep a small named text."""
        async with transaction(self._engine, writes=True) as connection:
            statement = upsert(connection, schema.notes)
            changed = {"value": statement.excluded.value}
            statement = statement.on_conflict_do_update(index_elements=["name"], set_=changed)
            await connection.execute(statement, [{"name": name, "value": value}])

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

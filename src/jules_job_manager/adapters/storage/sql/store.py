"""The whole SQL store."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.audit_rows import SqlAuditLog
from jules_job_manager.adapters.storage.sql.engine import shown_address, transaction, use_password
from jules_job_manager.adapters.storage.sql.event_rows import SqlEventLog
from jules_job_manager.adapters.storage.sql.idempotency_rows import SqlIdempotencyStore
from jules_job_manager.adapters.storage.sql.job_rows import SqlJobStore
from jules_job_manager.adapters.storage.sql.lease_rows import SqlLeaseStore
from jules_job_manager.adapters.storage.sql.ledger_rows import SqlQuotaLedger
from jules_job_manager.adapters.storage.sql.review_rows import SqlReviewQueue
from jules_job_manager.adapters.storage.sql.sign_in_rows import SqlAccessStore
from jules_job_manager.adapters.storage.sql.task_rows import SqlTaskStore
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.adapters.storage.sql.webhook_rows import SqlWebhookStore
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.ports.clock import Clock


class SqlStore:
    """The Store port on SQLite or PostgreSQL."""

    def __init__(
        self, engine: AsyncEngine, *, kind: str, warning: str = "", clock: Clock | None = None
    ) -> None:
        """Use an engine whose schema is up to date.

        Args:
            engine: The database.
            kind: `sqlite` or `postgresql`.
            warning: Shown on every command.
            clock: Tells when leases end where the database has no clock; None: the machine's.
        """
        clock = clock or SystemClock()
        self.engine = engine
        self.kind = kind
        self.location = shown_address(engine)
        self.warning = warning
        self.tasks = SqlTaskStore(engine)
        self.events = SqlEventLog(engine)
        self.jobs = SqlJobStore(engine, clock)
        self.leases = SqlLeaseStore(engine, clock)
        self.ledger = SqlQuotaLedger(engine)
        self.review_queue = SqlReviewQueue(engine, clock)
        self.access = SqlAccessStore(engine)
        self.audit = SqlAuditLog(engine)
        self.idempotency = SqlIdempotencyStore(engine, clock)
        self.webhooks = SqlWebhookStore(engine)

    async def get_note(self, name: str) -> str | None:
        """Return a small named text, or None."""
        query = sa.select(schema.notes.c.value).where(schema.notes.c.name == name)
        async with transaction(self.engine, writes=False) as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def set_note(self, name: str, value: str) -> None:
        """Keep a small named text."""
        async with transaction(self.engine, writes=True) as connection:
            statement = upsert(connection, schema.notes)
            changed = {"value": statement.excluded.value}
            statement = statement.on_conflict_do_update(index_elements=["name"], set_=changed)
            await connection.execute(statement, [{"name": name, "value": value}])

    def use_password_of(self, url: str) -> bool:
        """Let new connections say the password of this address; False: more than that is other."""
        return self.kind == "postgresql" and use_password(self.engine, url)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

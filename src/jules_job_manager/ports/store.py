"""One store: everything that is kept, behind one door."""

from __future__ import annotations

from typing import Protocol

from jules_job_manager.ports.access_store import AccessStore
from jules_job_manager.ports.audit_log import AuditLog
from jules_job_manager.ports.event_log import EventLog
from jules_job_manager.ports.idempotency_store import IdempotencyStore
from jules_job_manager.ports.job_store import JobStore
from jules_job_manager.ports.lease_store import LeaseStore
from jules_job_manager.ports.quota_ledger import QuotaLedger
from jules_job_manager.ports.review_queue import ReviewQueue
from jules_job_manager.ports.task_store import TaskStore
from jules_job_manager.ports.webhook_store import WebhookStore


class Store(Protocol):
    """A place where tasks, events and (with SQL) jobs are kept."""

    @property
    def kind(self) -> str:
        """`json`, `sqlite` or `postgresql`."""
        ...

    @property
    def location(self) -> str:
        """The file, or the database address without its password: fit to be shown."""
        ...

    @property
    def tasks(self) -> TaskStore:
        """The tasks."""
        ...

    @property
    def events(self) -> EventLog:
        """The events."""
        ...

    @property
    def jobs(self) -> JobStore:
        """The jobs.

        Raises:
            UnsupportedOperationError: the store is a JSON file, which keeps no jobs.
        """
        ...

    @property
    def leases(self) -> LeaseStore:
        """Who may act.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    @property
    def ledger(self) -> QuotaLedger:
        """Tasks begun and refused.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    @property
    def review_queue(self) -> ReviewQueue:
        """Reviews to be run.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    @property
    def access(self) -> AccessStore:
        """API keys, and what people sign in with.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    @property
    def audit(self) -> AuditLog:
        """Who did what.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    @property
    def idempotency(self) -> IdempotencyStore:
        """Answers to requests that may be repeated.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    @property
    def webhooks(self) -> WebhookStore:
        """Endpoints of webhooks and their deliveries.

        Raises:
            UnsupportedOperationError: as for `jobs`.
        """
        ...

    async def get_note(self, name: str) -> str | None:
        """Return a small named text (for example when Jules was last looked at), or None."""
        ...

    async def set_note(self, name: str, value: str) -> None:
        """Keep a small named text."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections. Safe to call twice."""
        ...

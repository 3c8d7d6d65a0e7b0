"""The audit log: only ever added to, in a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jules_job_manager.domain.audit import AuditEntry, NewAuditEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditQuery:
    """Which entries are wanted. An empty text or None does not restrict."""

    since: datetime | None = None
    """At or after this moment."""
    until: datetime | None = None
    """Before this moment."""
    actor: str = ""
    operation: str = ""
    """The whole word, or its area: `key` also finds `key.create`."""
    resource: str = ""
    result: str = ""
    request_id: str = ""


class AuditLog(Protocol):
    """Adds and reads. Every method may raise StoreUnavailableError."""

    async def append(self, entries: Sequence[NewAuditEntry]) -> Sequence[AuditEntry]:
        """Add entries in order and return them as links of the chain. Additions wait for each other."""
        ...

    async def read(
        self,
        query: AuditQuery | None = None,
        *,
        after_number: int = 0,
        before_number: int | None = None,
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        """Return entries between two numbers (both left out), at most `limit` (1 to 1000).

        Raises:
            DamagedStoreError: an entry cannot be read.
        """
        ...

    async def remove_before(
        self, moment: datetime, *, at: datetime, actor: str, kind: str
    ) -> AuditEntry | None:
        """Remove the oldest entries, those before the first that is not older than `moment`.

        Returns:
            The anchor entry that was added first, or None when there was nothing to remove.
        """
        ...

"""What a store holds as records of JSON values, the same from every store: for moving and comparing.

A record has the members of its table. Places in a list count from 0 without gaps, and what is
worked out from other members is left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Record = dict[str, Any]
BATCH = 500
TABLES = ("tasks", "chat_messages", "source_files", "activities", "plans", "patches", "jobs", "attempts",
          "reviews", "quota_ledger", "task_events", "notes", "webhook_endpoints", "webhook_deliveries",
          "access_keys", "audit_log")  # fmt: skip
"""Every table with something to keep, those that others point to first.

Left out is what only counts at the moment: leases and review runs, what people sign in with and
their sessions, and answers kept for repeated requests.
"""
QUEUE_TABLES = (
    "jobs",
    "attempts",
    "reviews",
    "quota_ledger",
    "webhook_endpoints",
    "webhook_deliveries",
)
"""Those of the queue and of webhooks, which a JSON file does not keep."""
ACCESS_TABLES = ("access_keys", "audit_log")
"""Further ones that a JSON file does not keep."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """How many records a table has, and a number that changes with any of them."""

    count: int = 0
    digest: int = 0

    def with_records(self, records: Sequence[Record]) -> Extent:
        """Return what it is with these records added. Their order does not matter."""
        total = self.digest
        for record in records:
            text = json.dumps(record, sort_keys=True, separators=(",", ":"))
            total += int.from_bytes(hashlib.sha256(text.encode("ascii")).digest(), "big")
        return Extent(count=self.count + len(records), digest=total % 2**256)


class RecordSource(Protocol):
    """Gives the records of a store as they stood at one instant."""

    location: str

    def read(self, table: str) -> AsyncIterator[list[Record]]:
        """Yield the table's records in batches."""
        ...


class RecordTarget(RecordSource, Protocol):
    """Takes records. Nothing is kept unless the whole ends well."""

    async def write(self, table: str, records: Sequence[Record]) -> None:
        """Add records to the table."""
        ...


async def extents(source: RecordSource) -> Mapping[str, Extent]:
    """Return the extent of every table."""
    found = dict.fromkeys(TABLES, Extent())
    for table in TABLES:
        async for records in source.read(table):
            found[table] = found[table].with_records(records)
    return found

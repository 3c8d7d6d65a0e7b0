"""The append-only record of tasks begun and refused: the local half of the quota's truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """One task about to be created (`start`), or a create that Jules refused (`refusal`)."""

    account: str
    kind: str
    at: datetime
    mark: str = ""
    """The attempt's."""
    until: datetime | None = None
    """Of a refusal: no create before this moment."""


class QuotaLedger(Protocol):
    """Appends and reads. Starts are written with the attempt they are for (`JobStore.swap_jobs`)."""

    async def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries; a second start with the same mark is ignored."""
        ...

    async def read(self, *, since: datetime) -> Sequence[LedgerEntry]:
        """Return the entries at or after `since`, oldest first."""
        ...

"""Looking at a database from outside: does it answer, is its schema ours, how busy is it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreFacts:
    """What a database says of itself."""

    revision: str | None
    """Of its schema; None: it has none."""
    wanted_revision: str
    """The revision that this version of the program works on."""
    now: datetime | None = None
    """The time of the database's own clock; None: it has none of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connections:
    """The connections of this program to its database."""

    in_use: int
    idle: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreFigures:
    """Counts of what is kept, at one moment."""

    tasks_by_status: Mapping[str, int] = field(default_factory=dict)
    """Tasks that are not archived."""
    jobs_by_status: Mapping[str, int] = field(default_factory=dict)
    reviews_by_state: Mapping[str, int] = field(default_factory=dict)
    oldest_ready: timedelta | None = None
    """Since when the job that has waited longest in the queue is there; None: no job is ready."""
    newest_event_id: int = 0


class StoreProbe(Protocol):
    """Looks at a SQL store without touching what it keeps."""

    async def look(self) -> StoreFacts:
        """Ask the database once.

        Raises:
            StoreUnavailableError: it does not answer.
            StoreError: it answers with something else.
        """
        ...

    async def figures(self) -> StoreFigures:
        """Count what is kept, without reading it.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        ...

    def connections(self) -> Connections:
        """Return the connections as they are now. Never waits."""
        ...

"""Room on the disk that data is kept on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class DiskRoom:
    """How much room a file system has for us."""

    free_bytes: int


class Disk(Protocol):
    """One file system."""

    async def room(self) -> DiskRoom:
        """Return how much room there is.

        Raises:
            StoreError: the folder cannot be looked at, or an earlier look still hangs.
        """
        ...

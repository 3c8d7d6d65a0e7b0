"""Watching calls of Jules without changing them: for metrics, health and traces."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of the Backend port."""

    account: str
    """Name of the account, as configured."""
    operation: str
    """Name of the method."""


class CallWatcher(Protocol):
    """Is there while a call is made. It must neither raise nor swallow anything."""

    def watching(self, call: Call) -> AbstractContextManager[None]:
        """Return what is entered before the call and left after it, with what it raised."""
        ...

"""Time and sleep, so that tests need neither."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware UTC: for records."""
        ...

    def monotonic_seconds(self) -> float:
        """Return seconds that never run backwards: for durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` (>= 0)."""
        ...

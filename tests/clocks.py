"""Clocks for tests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from jules_job_manager.adapters.system_clock import SystemClock


class ImpatientClock(SystemClock):
    """A clock that notes how long was waited, and does not wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


class FakeClock:
    """Time that passes only when somebody sleeps, or when it is told to."""

    def __init__(self, start: datetime = datetime(2026, 11, 24, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic_seconds(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        self._passed += seconds
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._passed += seconds

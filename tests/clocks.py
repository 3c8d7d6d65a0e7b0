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


class HeldClock:
    """Time that passes only when it is told to; whoever sleeps wakes when it has passed."""

    def __init__(self, start: datetime = datetime(2026, 11, 24, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0
        self._sleeping: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic_seconds(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping.append((self._passed + seconds, alarm))
        await alarm

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, waking one sleeper after the other, each as soon as it is due."""
        end = self._passed + seconds
        await self.settle()
        while due := [(at, alarm) for at, alarm in self._sleeping if at <= end]:
            at, alarm = min(due, key=lambda entry: entry[0])
            self._sleeping.remove((at, alarm))
            self._passed = max(self._passed, at)
            if not alarm.done():
                alarm.set_result(None)
            await self.settle()
        self._passed = end
        await self.settle()

    async def settle(self) -> None:
        """Let everybody run who can."""
        for _ in range(20):
            await asyncio.sleep(0)

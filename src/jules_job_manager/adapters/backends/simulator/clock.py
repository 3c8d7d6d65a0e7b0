"""A clock whose hours pass at once: for simulated days, in tests, benchmarks and rehearsals."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from datetime import UTC, datetime, timedelta

from jules_job_manager.domain.clockwork import require_aware

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """Time stands still until someone sleeps or it is advanced; a sleep ends at once.

    Give the same one to the simulator (with `speed=1`) and to what talks to it. Of several tasks
    that sleep at once the earliest wakes first, so that no hour is skipped.
    """

    def __init__(self, start: datetime = DAY_ONE) -> None:
        """Begin at `start` (aware)."""
        self._now = require_aware(start)
        self._start = self._now
        self._sleepers: list[tuple[datetime, int]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        """Return the simulated time, aware UTC."""
        return self._now

    def monotonic_seconds(self) -> float:
        """Return the simulated seconds since the beginning."""
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let `seconds` (>= 0) pass.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards by {-seconds} s")
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` (>= 0) pass, after everyone who wakes earlier."""
        mine = (self._now + timedelta(seconds=max(0.0, seconds)), next(self._numbers))
        bisect.insort(self._sleepers, mine)
        try:
            await asyncio.sleep(0)
            # The earliest goes on at its next turn, so nobody waits for long.
            while self._sleepers[0] != mine:  # noqa: ASYNC110
                await asyncio.sleep(0)
            self._now = max(self._now, mine[0])
        finally:
            self._sleepers.remove(mine)

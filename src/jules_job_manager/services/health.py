"""Looks after the checks in the background; whoever asks gets what is known, at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from jules_job_manager.domain.health import (
    CheckState,
    Damping,
    Found,
    HealthReport,
    HealthStatus,
    Standing,
    next_standing,
)
from jules_job_manager.domain.masking import masked
from jules_job_manager.domain.text import safe_text, shorten
from jules_job_manager.errors import JulesManagerError
from jules_job_manager.ports.clock import Clock

_LOG = logging.getLogger(__name__)
STALE_AFTER_ROUNDS = 3
"""A result older than so many rounds (and its time limit) counts as none: nobody looks any more."""
MOST_TEXT = 300

Probe = Callable[[], Awaitable[Found]]
"""Looks once. It may raise: a JulesManagerError's sentence is shown, of others only the kind."""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """One thing that is looked at."""

    name: str
    probe: Probe
    is_critical: bool = True
    """Whether nothing works without it."""
    time_limit: timedelta | None = None
    """Longest time of one look; None: that of the whole."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    standing: Standing
    found: Found
    latency: timedelta
    at_seconds: float


class Health:
    """Runs every check on its own, so that one that hangs delays neither the others nor an answer."""

    def __init__(
        self,
        *,
        clock: Clock,
        checks: Sequence[HealthCheck],
        interval: timedelta = timedelta(seconds=30),
        time_limit: timedelta = timedelta(seconds=10),
        damping: Damping | None = None,
        mask: Callable[[str], str] = masked,
    ) -> None:
        """Bind the parts.

        Args:
            clock: Tells the time and waits.
            checks: What is looked at; names must differ.
            interval: Time between two looks, > 0.
            time_limit: Longest time of one look; after it the check counts as unhealthy.
            damping: When a check is said to be worse or better.
            mask: Takes secrets out of what is shown.
        """
        self._clock = clock
        self._checks = {check.name: check for check in checks}
        self._interval = interval
        self._limit = time_limit
        self._damping = damping or Damping()
        self._mask = mask
        self._began = clock.monotonic_seconds()
        self._seen: dict[str, _Seen] = {}
        self._hanging: dict[str, asyncio.Task[Found]] = {}

    def add(self, check: HealthCheck) -> None:
        """Register one more check, before `run`."""
        self._checks[check.name] = check

    async def run(self) -> None:
        """Look at everything, again and again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for check in self._checks.values():
                group.create_task(self._watch(check))

    async def check_all(self) -> HealthReport:
        """Look at everything once, at most for the time limit, and return what is known then."""
        async with asyncio.TaskGroup() as group:
            for check in self._checks.values():
                group.create_task(self._look(check))
        return self.report()

    def report(self) -> HealthReport:
        """Return what is known now. Never waits."""
        now = self._clock.monotonic_seconds()
        states = {name: self._state(check, now) for name, check in self._checks.items()}
        return HealthReport(uptime=timedelta(seconds=now - self._began), checks=states)

    def _state(self, check: HealthCheck, now: float) -> CheckState:
        seen = self._seen.get(check.name)
        if seen is None:
            return CheckState(
                status=HealthStatus.DEGRADED, message="Not looked at yet.",
                is_critical=check.is_critical,
            )  # fmt: skip
        age = timedelta(seconds=now - seen.at_seconds)
        state = CheckState(
            status=seen.standing.shown, message=seen.found.message, latency=seen.latency, age=age,
            is_critical=check.is_critical,
        )  # fmt: skip
        if age > STALE_AFTER_ROUNDS * self._interval + (check.time_limit or self._limit):
            text = f"Not looked at for {age.total_seconds():.0f} s."
            return replace(state, status=HealthStatus.UNHEALTHY, message=text)
        return state

    async def _watch(self, check: HealthCheck) -> None:
        while True:
            await self._look(check)
            await self._clock.sleep(self._interval.total_seconds())

    async def _look(self, check: HealthCheck) -> None:
        began = self._clock.monotonic_seconds()
        found = await self._found(check)
        found = replace(found, message=shorten(safe_text(self._mask(found.message)), MOST_TEXT))
        ended = self._clock.monotonic_seconds()
        before = self._seen.get(check.name)
        standing = next_standing(before.standing if before else None, found.status, self._damping)
        if before is None or standing.shown is not before.standing.shown:
            level = logging.INFO if standing.shown is HealthStatus.HEALTHY else logging.WARNING
            _LOG.log(
                level, "%s is %s: %s", check.name, standing.shown.value, found.message,
                extra={"action": "health"},
            )  # fmt: skip
        latency = timedelta(seconds=ended - began)
        self._seen[check.name] = _Seen(
            standing=standing, found=found, latency=latency, at_seconds=ended
        )

    async def _found(self, check: HealthCheck) -> Found:
        """Look once, at most for the time limit; a look that still hangs is not begun again."""
        limit = (check.time_limit or self._limit).total_seconds()
        hanging = self._hanging.get(check.name)
        if hanging is not None and not hanging.done():
            return _unhealthy("An earlier look still hangs.")
        look = asyncio.ensure_future(_probed(check.probe))
        timer = asyncio.ensure_future(self._clock.sleep(limit))
        try:
            await asyncio.wait({look, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            if not look.done():  # cancelled, but not waited for: it may not heed that
                look.cancel()
                self._hanging[check.name] = look
        if look.done() and not look.cancelled():
            self._hanging.pop(check.name, None)
            return look.result()
        return _unhealthy(f"No answer within {limit:g} s.")


async def _probed(probe: Probe) -> Found:
    try:
        return await probe()
    except JulesManagerError as exc:
        return _unhealthy(exc.for_clients)
    except Exception as exc:  # noqa: BLE001 - whatever a check stumbles over is its result
        _LOG.warning("a health check failed", exc_info=exc, extra={"action": "health"})
        return _unhealthy(f"The check itself failed ({type(exc).__name__}).")


def _unhealthy(message: str) -> Found:
    return Found(status=HealthStatus.UNHEALTHY, message=message)

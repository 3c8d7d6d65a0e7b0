"""Whether everything works: what each check found, what that means together, and no flapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class HealthStatus(StrEnum):
    """How well something is. The words of ticket JJM-049."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It works, with something missing."""
    UNHEALTHY = "unhealthy"

    @property
    def rank(self) -> int:
        """0 for healthy to 2 for unhealthy; the value of the metric, too."""
        return _RANKS[self]


_RANKS = {status: rank for rank, status in enumerate(HealthStatus)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What one look of one check found. `message` is one plain sentence without secrets."""

    status: HealthStatus = HealthStatus.HEALTHY
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Damping:
    """How many looks in a row must agree before a check is said to be worse, or better."""

    to_worsen: int = 2
    to_recover: int = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What is said of a check, and how often something else was seen since."""

    shown: HealthStatus
    otherwise: HealthStatus | None = None
    """What was seen last, where it differs from what is said."""
    times: int = 0
    """How many looks in a row were on that side: all worse, or all better."""


def next_standing(before: Standing | None, seen: HealthStatus, damping: Damping) -> Standing:
    """Return what is said of a check after one more look. The very first look counts at once."""
    if before is None or seen is before.shown:
        return Standing(shown=seen if before is None else before.shown)
    is_worse = seen.rank > before.shown.rank
    last = before.otherwise
    same_side = last is not None and (last.rank > before.shown.rank) is is_worse
    times = before.times + 1 if same_side else 1
    if times >= (damping.to_worsen if is_worse else damping.to_recover):
        return Standing(shown=seen)
    return Standing(shown=before.shown, otherwise=seen, times=times)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckState:
    """One check as it stands."""

    status: HealthStatus
    message: str = ""
    latency: timedelta = timedelta(0)
    """How long the last look took."""
    age: timedelta | None = None
    """How long ago that was; None: it was not looked at yet."""
    is_critical: bool = True
    """Whether nothing works without it; otherwise the whole is only degraded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthReport:
    """Every check, by name, and how long we have been running."""

    uptime: timedelta
    checks: Mapping[str, CheckState] = field(default_factory=dict)

    @property
    def status(self) -> HealthStatus:
        """The worst of the checks; those that are not critical make it degraded at most."""
        worst = HealthStatus.HEALTHY
        for check in self.checks.values():
            status = check.status
            if status is HealthStatus.UNHEALTHY and not check.is_critical:
                status = HealthStatus.DEGRADED
            worst = max(worst, status, key=lambda one: one.rank)
        return worst

    @property
    def is_ready(self) -> bool:
        """Whether requests may come: every critical check was looked at, and none is unhealthy."""
        return all(
            check.age is not None and check.status is not HealthStatus.UNHEALTHY
            for check in self.checks.values()
            if check.is_critical
        )

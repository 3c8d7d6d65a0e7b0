"""Quota arithmetic: how many tasks an account may still create, and when the next one may start.

Jules counts created tasks in a rolling window of 24 hours and tasks at work at once; it publishes
neither count, so both are computed from what is known (Source: Jules REST reference, 10).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from jules_job_manager.domain.clockwork import (
    from_rfc3339,
    optional_from_rfc3339,
    optional_to_rfc3339,
    to_rfc3339,
)

WINDOW = timedelta(hours=24)
EDGE = timedelta(seconds=90)
"""Kept at the edge of the window: Jules stamps a task later than we know of it, and clocks differ."""
HIGH_RANK = 1
"""`Priority.rank` up to which jobs may use the reserve: critical and high."""


class Provenance(StrEnum):
    """How a limit is known."""

    STATED = "stated"
    """Set by the user."""
    OBSERVED = "observed"
    """Follows from what Jules was seen to allow or refuse."""
    ASSUMED = "assumed"
    """The smallest plan, because nothing says otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one account may do. None: no limit is known."""

    per_day: int | None = None
    """Tasks created in any 24 hours, >= 0."""
    at_once: int | None = None
    """Tasks at work at the same time, >= 0."""
    provenance: Provenance = Provenance.ASSUMED
    plan: str = ""
    """Name of the plan the numbers are of; empty for own numbers."""


PLANS = {
    "free": Limits(per_day=15, at_once=3, plan="free"),
    "pro": Limits(per_day=100, at_once=15, plan="pro"),
    "ultra": Limits(per_day=300, at_once=60, plan="ultra"),
}
"""The plans, smallest first. Source: Jules REST reference, 10 (limits page, read 2026)."""


def limits_of(
    plan: str, *, per_day: int = 0, at_once: int = 0, most_in_a_day: int = 0, most_at_once: int = 0
) -> Limits:
    """Return the limits of an account.

    Args:
        plan: `free`, `pro` or `ultra` (stated), `none` (no limit known), or `auto`: the smallest
            plan that allows what was seen.
        per_day: Own number, overriding the plan's; 0: the plan's.
        at_once: Likewise.
        most_in_a_day: Most tasks that Jules was seen to accept within 24 hours.
        most_at_once: Most tasks that were seen at work at once.

    Raises:
        ValueError: there is no such plan.
    """
    if plan == "auto":
        known = _smallest_allowing(most_in_a_day, most_at_once)
    elif plan == "none":
        known = Limits(provenance=Provenance.STATED)
    elif plan in PLANS:
        known = replace(PLANS[plan], provenance=Provenance.STATED)
    else:
        raise ValueError(f"there is no plan {plan!r}")
    if per_day or at_once:
        own = Provenance.STATED if (per_day and at_once) else known.provenance
        known = replace(known, per_day=per_day or known.per_day, at_once=at_once or known.at_once,
                        provenance=own, plan="")  # fmt: skip
    return known


def _smallest_allowing(most_in_a_day: int, most_at_once: int) -> Limits:
    for name, limits in PLANS.items():
        assert limits.per_day is not None
        assert limits.at_once is not None
        if most_in_a_day <= limits.per_day and most_at_once <= limits.at_once:
            first = name == next(iter(PLANS))
            kind = Provenance.ASSUMED if first else Provenance.OBSERVED
            return replace(limits, provenance=kind)
    return Limits(provenance=Provenance.OBSERVED)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountUse:
    """What is known of one account at one moment."""

    name: str = "default"
    limits: Limits = Limits()
    starts: tuple[datetime, ...] = ()
    """When each task that still counts was created (or is about to be), ascending."""
    at_work: int = 0
    """Tasks at work now, those made elsewhere too."""
    refused_until: datetime | None = None
    """After a refusal: no create before this moment."""

    def used(self, now: datetime) -> int:
        """Return how many tasks count at `now`."""
        return len(self.starts) - bisect_right(self.starts, now - WINDOW - EDGE)

    def room(self, now: datetime, *, rank: int = 0, reserve: int = 0) -> int:
        """Return how many tasks a job of this rank may create now, >= 0.

        Args:
            rank: `Priority.rank` of the job.
            reserve: Tasks of the day kept for critical and high jobs.
        """
        if self.refused_until is not None and now < self.refused_until:
            return 0
        rooms = []
        if self.limits.per_day is not None:
            rooms.append(
                self.limits.per_day - self.used(now) - (reserve if rank > HIGH_RANK else 0)
            )
        if self.limits.at_once is not None:
            rooms.append(self.limits.at_once - self.at_work)
        return max(0, min(rooms)) if rooms else UNLIMITED

    def with_one_more(self, at: datetime) -> AccountUse:
        """Return the use after one more task was created at `at` (not before the last start)."""
        return replace(self, starts=(*self.starts, at), at_work=self.at_work + 1)

    def next_day_slot(self, now: datetime, *, rank: int = 0, reserve: int = 0) -> datetime | None:
        """Return when the window or a refusal next allows a task; None: now, as far as they go.

        A limit of 0 never allows one; then the far end of time is returned.
        """
        moments = []
        if self.refused_until is not None and now < self.refused_until:
            moments.append(self.refused_until)
        if self.limits.per_day is not None:
            allowed = self.limits.per_day - (reserve if rank > HIGH_RANK else 0)
            over = self.used(now) - allowed + 1
            if over > 0:
                first = bisect_right(self.starts, now - WINDOW - EDGE)
                if over > len(self.starts) - first:
                    return FAR
                moments.append(self.starts[first + over - 1] + WINDOW + EDGE)
        return max(moments, default=None)

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """Return the use at `now` as JSON values; `slots` are when each task stops to count."""
        slot = self.next_day_slot(now)
        refused = self.refused_until if self.refused_until and self.refused_until > now else None
        ends = [at + WINDOW + EDGE for at in self.starts]
        return {
            "account": self.name,
            "plan": self.limits.plan,
            "provenance": self.limits.provenance.value,
            "used": self.used(now),
            "per_day": self.limits.per_day,
            "at_work": self.at_work,
            "at_once": self.limits.at_once,
            "next_slot": None if slot == FAR else optional_to_rfc3339(slot),
            "refused_until": optional_to_rfc3339(refused),
            "slots": [to_rfc3339(end) for end in ends if end > now],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote: the tasks that still counted then.

        Raises:
            KeyError: a member is missing.
            ValueError: a time or provenance is not one.
        """
        limits = Limits(
            per_day=data["per_day"], at_once=data["at_once"], plan=str(data["plan"]),
            provenance=Provenance(data["provenance"]),
        )  # fmt: skip
        return cls(
            name=str(data["account"]),
            limits=limits,
            starts=tuple(from_rfc3339(end) - WINDOW - EDGE for end in data["slots"]),
            at_work=int(data["at_work"]),
            refused_until=optional_from_rfc3339(data["refused_until"]),
        )


UNLIMITED = 1_000_000
FAR = datetime.max.replace(tzinfo=UTC)


def most_in_window(starts: Sequence[datetime]) -> int:
    """Return the most starts (ascending) within any 24 hours."""
    most = first = 0
    for index, moment in enumerate(starts):
        while moment - starts[first] >= WINDOW:
            first += 1
        most = max(most, index - first + 1)
    return most


def counted_starts(
    remote: Iterable[tuple[str, datetime]], reserved: Iterable[tuple[str, datetime]]
) -> tuple[datetime, ...]:
    """Return the starts that count, ascending: every task known remotely, and reservations without one.

    Args:
        remote: Task id and creation time of every task of the account that is known.
        reserved: Task id (empty while unknown) and time of every local reservation.
    """
    known = dict(remote)
    moments = list(known.values())
    moments += [at for task_id, at in reserved if not task_id or task_id not in known]
    return tuple(sorted(moments))

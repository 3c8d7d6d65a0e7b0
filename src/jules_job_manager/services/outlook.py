"""What the queue would do next, as far as the store knows: for dry runs and for who follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.job import Job
from jules_job_manager.ports.store import Store
from jules_job_manager.services.queue_run import LEASE_NAME

WOULD_START = "would start"
"""How what is said of a job begins that would start."""
SPARE_SECONDS = 3.0
"""For the look itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What would happen now."""

    at: datetime
    may_move: bool
    """Whether anything can happen without a person."""
    leader: str
    """The program that runs the queue; empty: none does."""
    settles_seconds: float
    """What a person did is seen by the worker within this time: nothing moves that did not by then."""
    would: Mapping[str, str]
    """By job key: that it would start, or what it waits for."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "at": to_rfc3339(self.at), "may_move": self.may_move, "leader": self.leader,
            "settles_seconds": self.settles_seconds,
            "would": [{"job": key, "text": text} for key, text in self.would.items()],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            at=from_rfc3339(data["at"]), may_move=data["may_move"], leader=data["leader"],
            settles_seconds=data["settles_seconds"],
            would={one["job"]: one["text"] for one in data["would"]},
        )  # fmt: skip


async def outlook_of(
    store: Store,
    snapshot: o.Snapshot,
    now: datetime,
    policy: o.Policy,
    *,
    interval_seconds: float,
) -> Outlook:
    """Return the outlook; neither Jules nor git is asked.

    Args:
        store: Must be a SQL store.
        snapshot: What the store knows (`stored_snapshot`).
        now: The time.
        policy: What may be decided without a person.
        interval_seconds: Time between two looks of the worker.
    """
    lease = await store.leases.current(LEASE_NAME)
    return Outlook(
        at=now, may_move=o.may_still_move(snapshot, policy, now),
        leader="" if lease is None else lease.owner,
        settles_seconds=2 * interval_seconds + SPARE_SECONDS,
        would=would_do(snapshot, policy, now),
    )  # fmt: skip


def would_do(
    snapshot: o.Snapshot, policy: o.Policy, now: datetime, jobs: Sequence[Job] | None = None
) -> dict[str, str]:
    """Return by job key that it would start, or what it waits for; `jobs` in place of those known."""
    jobs = snapshot.jobs if jobs is None else jobs
    snapshot = replace(snapshot, jobs=tuple(replace(job, reason="") for job in jobs))
    said: dict[str, str] = {}
    for action in o.decide(snapshot, now, policy):
        if isinstance(action, o.Dispatch):
            again = action.job_key in said
            said[action.job_key] = f"{WOULD_START}, several times" if again else WOULD_START
        elif isinstance(action, o.SetStatus) and action.reason:
            said.setdefault(action.job_key, action.reason)
    return said

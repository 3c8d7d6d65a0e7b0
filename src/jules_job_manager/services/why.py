"""Why a job is not running, and when it will: as facts, from the store alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.job_keys import find_job
from jules_job_manager.domain.orchestration import Policy, explain
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.accounts import PlanChoice
from jules_job_manager.services.queue_view import stored_snapshot


async def why_waits(
    store: Store,
    accounts: Mapping[str, tuple[str, PlanChoice]],
    clock: Clock,
    policy: Policy,
    key: str,
) -> tuple[Job, dict[str, Any]]:
    """Return the job, and what it waits for as JSON values.

    `waits_for` is the kind of wait (None: it may start now, or does not wait for its turn),
    `until` when it can start at the earliest, `ahead` how many jobs stand before it.

    Args:
        store: Must be a SQL store.
        accounts: Name of the backend and limits, by account.
        clock: Tells the time.
        policy: That of the queue.
        key: Of the job, as typed.

    Raises:
        JobNotFoundError: there is none.
    """
    snapshot = await stored_snapshot(store, accounts, clock)
    job = find_job(snapshot.jobs, key)
    told: dict[str, Any] = {
        "key": job.key, "status": job.status.value, "waits_for": None, "reason": job.reason,
        "until": None, "ahead": None,
    }  # fmt: skip
    if job.status in {JobStatus.READY, JobStatus.BLOCKED}:
        wait, ahead = explain(snapshot, job, clock.now(), policy)
        if wait is not None:
            told |= {
                "waits_for": wait.kind.value,
                "reason": wait.reason,
                "until": optional_to_rfc3339(wait.until),
            }
        told["ahead"] = ahead
    return job, told

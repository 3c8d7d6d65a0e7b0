"""How the queue stands, in a few numbers."""

from __future__ import annotations

from typing import Any

from jules_job_manager.domain.job import JobStatus
from jules_job_manager.ports.store import Store
from jules_job_manager.services.queue_look import PAUSED_NOTE
from jules_job_manager.services.queue_run import LEASE_NAME

YOURS = frozenset({JobStatus.NEEDS_YOU, JobStatus.FAILED})


async def queue_summary(store: Store) -> dict[str, Any]:
    """Return counts by status, keys that need a person or come next, the pause and the leader.

    Raises:
        UnsupportedOperationError: the store keeps no queue.
        StoreError: the store failed.
    """
    found = await store.jobs.standing(YOURS)
    lease = await store.leases.current(LEASE_NAME)
    return {
        "total": sum(found.counts.values()),
        "counts": {status.value: found.counts.get(status, 0) for status in JobStatus},
        "needs_you": list(found.chosen),
        "next": list(found.startable),
        "paused": await store.get_note(PAUSED_NOTE) or "",
        "leader": "" if lease is None else lease.owner,
    }

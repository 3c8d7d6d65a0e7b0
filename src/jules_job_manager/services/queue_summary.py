"""How the queue stands, in a few numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.ports.store import Store
from jules_job_manager.services.queue_look import PAUSED_BY_NOTE, PAUSED_NOTE
from jules_job_manager.services.queue_run import LEASE_NAME

YOURS = frozenset({JobStatus.NEEDS_YOU, JobStatus.FAILED})
NO_PACE: dict[str, Any] = {"paused": "", "paused_by": "", "leader": "", "leader_until": None}
"""What `queue_pace` returns of a queue that is not paused and that nobody runs."""
PATIENCE = timedelta(seconds=10)
"""How long after its end a lease still counts: clocks of machines differ."""


async def queue_summary(store: Store, now: datetime) -> dict[str, Any]:
    """Return counts by status, keys that need a person or come next, the pause and the leader.

    Raises:
        UnsupportedOperationError: the store keeps no queue.
        StoreError: the store failed.
    """
    found = await store.jobs.standing(YOURS)
    return {
        "total": sum(found.counts.values()),
        "counts": {status.value: found.counts.get(status, 0) for status in JobStatus},
        "needs_you": list(found.chosen),
        "next": list(found.startable),
        **await queue_pace(store, now),
    }


async def queue_pace(store: Store, now: datetime) -> dict[str, Any]:
    """Return why the queue is paused and by whom, who runs it and until when.

    Raises:
        UnsupportedOperationError: the store keeps no queue.
        StoreError: the store failed.
    """
    lease = await store.leases.current(LEASE_NAME)
    led = NO_PACE
    if lease is not None and lease.owner and now <= lease.until + PATIENCE:
        led = {"leader": lease.owner, "leader_until": to_rfc3339(lease.until)}
    paused = await store.get_note(PAUSED_NOTE) or ""
    by = (await store.get_note(PAUSED_BY_NOTE) or "") if paused else ""
    return {**NO_PACE, **led, "paused": paused, "paused_by": by}

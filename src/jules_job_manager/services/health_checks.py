"""What is looked at: database, Jules, the queue's worker, Redis, disk, clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from jules_job_manager.domain.health import Found, HealthStatus
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.disk import Disk
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.store_probe import StoreProbe
from jules_job_manager.services.health import Probe
from jules_job_manager.services.queue_run import LEASE_NAME
from jules_job_manager.services.queue_summary import PATIENCE

_FINAL = {"done", "failed", "cancelled", "draft"}
_MIB = 1024 * 1024
_NOTE = "health.look"


def _untold(_value: object) -> None:
    """Tell nobody."""


def database(store: Store, probe: StoreProbe | None) -> Probe:
    """Return the check that the store answers and has the schema of this version.

    Args:
        store: What is looked at.
        probe: Looks at a SQL store; None for the JSON store, which is only read.
    """

    async def look() -> Found:
        if probe is None:
            await store.get_note(_NOTE)
            return Found(message=f"The {store.kind} store answers.")
        facts = await probe.look()
        if facts.revision != facts.wanted_revision:
            has = facts.revision or "none"
            return Found(
                status=HealthStatus.UNHEALTHY,
                message=f"The schema is {has}, this version works on {facts.wanted_revision}.",
            )
        if warning := str(getattr(store, "warning", "") or ""):
            return Found(status=HealthStatus.DEGRADED, message=warning)
        return Found(message=f"The {store.kind} store answers, with schema {facts.revision}.")

    return look


def disk_room(
    disk: Disk, *, low_bytes: int, least_bytes: int, tell: Callable[[int], None] = _untold
) -> Probe:
    """Return the check that there is room: below `low_bytes` is degraded, below `least_bytes` worse.

    `tell` is told of the room in bytes.
    """

    async def look() -> Found:
        room = await disk.room()
        tell(room.free_bytes)
        text = f"{room.free_bytes // _MIB} MiB are free."
        if room.free_bytes < least_bytes:
            return Found(status=HealthStatus.UNHEALTHY, message=text)
        is_low = room.free_bytes < low_bytes
        return Found(status=HealthStatus.DEGRADED if is_low else HealthStatus.HEALTHY, message=text)

    return look


def worker(
    store: Store,
    probe: StoreProbe,
    clock: Clock,
    *,
    patience: timedelta = PATIENCE,
    tell: Callable[[bool], None] = _untold,
) -> Probe:
    """Return the check that somebody runs the queue while there is something to run.

    Args:
        store: Has the lease of whoever runs it.
        probe: Counts the jobs.
        clock: Tells the time.
        patience: How long after its end a lease still counts: clocks of machines differ.
        tell: Told whether somebody runs it.
    """

    async def look() -> Found:
        lease = await store.leases.current(LEASE_NAME)
        now = (await probe.look()).now or clock.now()
        is_led = lease is not None and bool(lease.owner) and now <= lease.until + patience
        tell(is_led)
        if lease is not None and is_led:
            return Found(message=f"{lease.owner} runs the queue.")
        jobs = (await probe.figures()).jobs_by_status
        waiting = sum(count for status, count in jobs.items() if status not in _FINAL)
        if not waiting:
            return Found(message="Nobody runs the queue, and nothing waits.")
        return Found(
            status=HealthStatus.UNHEALTHY, message=f"Nobody runs the queue; {waiting} jobs wait."
        )

    return look


def clock_skew(
    probe: StoreProbe,
    clock: Clock,
    *,
    most: timedelta = timedelta(seconds=5),
    tell: Callable[[timedelta], None] = _untold,
) -> Probe:
    """Return the check that our clock and the database's agree within `most`.

    Args:
        probe: Asks the database for its time.
        clock: Ours.
        most: Largest difference that is well.
        tell: Told of the difference; positive: ours is ahead.
    """

    async def look() -> Found:
        before = clock.now()
        there = (await probe.look()).now
        if there is None:
            return Found(message="The database has no clock of its own to compare with.")
        after = clock.now()
        # Whatever the database said was true at some moment between the two.
        skew = max(before - there, timedelta(0)) + min(after - there, timedelta(0))
        tell(skew)
        text = f"This machine's clock is {abs(skew.total_seconds()):.1f} s "
        text += "ahead of the database's." if skew >= timedelta(0) else "behind the database's."
        is_off = abs(skew) > most
        return Found(status=HealthStatus.DEGRADED if is_off else HealthStatus.HEALTHY, message=text)

    return look

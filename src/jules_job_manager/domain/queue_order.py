"""The order in which waiting jobs start: pinned, priority with ageing, a person's order, age."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from jules_job_manager.domain.job import Job

OrderKey = tuple[bool, int, float, float, str, int, str]


def effective_rank(job: Job, now: datetime, ageing: timedelta) -> int:
    """Return the job's rank, one better for each `ageing` it has waited; 0 is the best.

    Args:
        job: `placed_rank` (a person's choice) stands before its priority.
        now: The time, aware UTC.
        ageing: Zero: waiting counts nothing.
    """
    rank = job.priority.rank if job.placed_rank is None else job.placed_rank
    return max(0, rank - _aged(job, now, ageing))


def _aged(job: Job, now: datetime, ageing: timedelta) -> int:
    """Return how many ranks the job has gained by waiting."""
    if not ageing or job.queued_at is None:
        return 0
    waited = now - job.queued_at
    return 0 if waited < ageing else waited // ageing


def order_key(job: Job, now: datetime, ageing: timedelta) -> OrderKey:
    """Return what sorts a job among those that wait: the smallest starts first."""
    return (
        not job.pinned,
        effective_rank(job, now, ageing),
        math.inf if job.place is None else job.place,
        0.0 if job.queued_at is None else job.queued_at.timestamp(),
        job.backlog,
        job.position,
        job.key,
    )


def in_order(jobs: Iterable[Job], now: datetime, ageing: timedelta) -> list[Job]:
    """Return the jobs, the next to start first."""
    return sorted(jobs, key=lambda job: order_key(job, now, ageing))


def moved(jobs: Sequence[Job], key: str, *, to: int, now: datetime, ageing: timedelta) -> list[Job]:
    """Return the jobs that must be written so that `key` stands at index `to` among `jobs`.

    Args:
        jobs: Every waiting job, in order.
        key: One of them.
        to: Its new index, 0 to `len(jobs) - 1`.
        now: The time the order is of.
        ageing: As the order was made with.
    """
    chosen = next(job for job in jobs if job.key == key)
    others = [job for job in jobs if job.key != key]
    beside = others[to] if to < len(others) else (others[-1] if others else chosen)
    rank = effective_rank(beside, now, ageing)
    placed = rank + _aged(chosen, now, ageing)
    line = [*others[:to], replace(chosen, pinned=beside.pinned, placed_rank=placed), *others[to:]]
    same = [j for j in line if (j.pinned, effective_rank(j, now, ageing)) == (beside.pinned, rank)]
    changed = [replace(job, place=float(index)) for index, job in enumerate(same)]
    before = {job.key: job for job in jobs}
    return [job for job in changed if before[job.key] != job]

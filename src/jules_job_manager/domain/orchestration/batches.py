"""The order in which accepted deliveries are checked again and merged, and which of them together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.orchestration.snapshot import Snapshot


def batch_id(base_commit: str, commits: Sequence[str]) -> str:
    """Return what names these deliveries, merged in this order into this base."""
    text = "\n".join([base_commit, *commits])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def merge_order(
    snapshot: Snapshot, by_key: Mapping[str, Job], attempts: Sequence[Attempt]
) -> list[Attempt]:
    """Return the attempts in the order to merge them: those that touch nobody's files first.

    A delivery that shares files with others makes them likely to conflict, so it goes after those
    that do not; among equals priority and then age count.
    """
    paths = {a.mark: snapshot.changed_files.get(a.mark, frozenset()) for a in attempts}

    def overlaps(attempt: Attempt) -> int:
        mine = paths[attempt.mark]
        return sum(bool(mine & theirs) for mark, theirs in paths.items() if mark != attempt.mark)

    def key(attempt: Attempt) -> tuple[int, int, float, int]:
        job = by_key[attempt.job_key]
        queued = 0.0 if job.queued_at is None else job.queued_at.timestamp()
        return overlaps(attempt), job.priority.rank, queued, job.position

    return sorted(attempts, key=key)


def chosen_together(snapshot: Snapshot, ordered: Sequence[Attempt], most: int) -> list[Attempt]:
    """Return how many of the first are checked together: half as many after each refusal.

    One alone is always tried, so that the one to blame is found.

    Args:
        snapshot: What is known.
        ordered: Attempts whose deliveries wait on the same base, in the order to merge them.
        most: Largest number, >= 1.
    """
    base = snapshot.bases.get(ordered[0].mark, "")
    count = min(len(ordered), most)
    while count > 1:
        commits = [snapshot.deliveries[a.mark] for a in ordered[:count]]
        if batch_id(base, commits) not in snapshot.failed_batches:
            break
        count = (count + 1) // 2
    return list(ordered[:count])

"""Where jobs, attempts and reviews are kept. Needs a SQL store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.job import Attempt, Job, JobStatus, Priority
from jules_job_manager.domain.review import Review
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.quota_ledger import LedgerEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class JobQuery:
    """Which jobs to list, in order of document and position. `limit` is 1 or more; None lists all."""

    status: JobStatus | None = None
    backlog: str | None = None
    limit: int | None = None
    repository: str | None = None
    priority: Priority | None = None
    search: str = ""
    """Only jobs with this text in their key, title or prompt, whatever the case of ASCII letters."""
    after: tuple[str, int, str] | None = None
    """Backlog, position and key of the job that the page before ended with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueStanding:
    """How all jobs stand, without the jobs. Keys are in order of document and position."""

    counts: Mapping[JobStatus, int]
    """How many jobs have each status that occurs."""
    chosen: tuple[str, ...]
    """Keys of the jobs with one of the statuses that were asked for."""
    startable: tuple[str, ...]
    """Keys as `domain.graph.ready_keys` returns them."""


class JobStore(Protocol):
    """Keeps the queue.

    Invariants are database constraints: keys and marks are unique, and a job has at most one
    live attempt in each lane.

    Each writing method appends the events given with it in the same transaction.
    Every method may raise StoreUnavailableError and DamagedStoreError.
    """

    def fenced(self, lease: Lease) -> Self:
        """Return the same jobs, for the holder of a lease.

        Every write checks, in its own transaction, that the lease still is this owner's, and
        raises LeaseLostError, writing nothing, when it is not.
        """
        ...

    async def save_jobs(self, jobs: Sequence[Job], events: Sequence[NewEvent] = ()) -> None:
        """Insert or replace jobs by key, whole."""
        ...

    async def swap_jobs(
        self,
        expected: Mapping[str, Job | None],
        jobs: Sequence[Job],
        *,
        attempts: Sequence[Attempt] = (),
        removed: Sequence[str] = (),
        events: Sequence[NewEvent] = (),
        starts: Sequence[LedgerEntry] = (),
    ) -> bool:
        """Write all of it in one transaction, if every expected job still is as expected.

        Args:
            expected: What was read before deciding, by key; None: no such job.
            jobs: Jobs to insert or replace, whole.
            attempts: Attempts to insert or replace, by mark.
            removed: Keys of jobs to remove with their attempts and reviews.
            events: Events to append.
            starts: Entries of the quota ledger to append.

        Returns:
            False, and nothing is written, when another program changed an expected job.

        Raises:
            StoreError: a job would have two live attempts.
        """
        ...

    async def get_job(self, key: str) -> Job | None:
        """Return the job, or None."""
        ...

    async def list_jobs(self, query: JobQuery | None = None) -> Sequence[Job]:
        """Return jobs by backlog and position."""
        ...

    async def standing(self, chosen: Collection[JobStatus]) -> QueueStanding:
        """Return how all jobs stand, at one moment, and the keys of those with a `chosen` status."""
        ...

    async def delete_jobs(self, keys: Sequence[str], events: Sequence[NewEvent] = ()) -> int:
        """Remove jobs with their attempts and reviews; return how many there were."""
        ...

    async def save_attempt(
        self, attempt: Attempt, *, job: Job | None = None, events: Sequence[NewEvent] = ()
    ) -> None:
        """Insert or replace an attempt by mark, and its job with it, in one transaction.

        Raises:
            StoreError: the job already has another live attempt.
        """
        ...

    async def list_attempts(
        self,
        job_key: str | None = None,
        *,
        live_only: bool = False,
        after: tuple[str, int] | None = None,
        limit: int | None = None,
    ) -> Sequence[Attempt]:
        """Return attempts by job and number.

        Args:
            job_key: Of this job only.
            live_only: Only those at work.
            after: Job and number of the attempt that the page before ended with.
            limit: Most of them, >= 1; None: all.
        """
        ...

    async def save_review(self, review: Review, events: Sequence[NewEvent] = ()) -> None:
        """Keep a review; one of the same delivery on the same base is replaced."""
        ...

    async def list_reviews(self, job_key: str) -> Sequence[Review]:
        """Return the job's reviews, oldest first."""
        ...

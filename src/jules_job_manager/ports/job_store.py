"""Where jobs, attempts and reviews are kept. Needs a SQL store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, Self

from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus, Priority
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.page import Page
from jules_job_manager.ports.quota_ledger import LedgerEntry

JobSort = Literal["place", "-place", "key", "-key", "queued", "-queued", "finished", "-finished"]
"""By document and position in it, key, or a time; those without the time count as of long ago."""
AttemptSort = Literal["job", "-job", "created", "-created"]
"""By job and number, or time of creation."""
ReviewSort = Literal["at", "-at"]
"""By when the review ended."""
BacklogSort = Literal["name", "-name", "jobs", "-jobs"]
"""By name, or by how many jobs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobQuery:
    """Which jobs to list. `limit` is 1 or more; None lists all."""

    status: JobStatus | None = None
    backlog: str | None = None
    limit: int | None = None
    repository: str | None = None
    priority: Priority | None = None
    search: str = ""
    """Only jobs with this text in their key, title or prompt, whatever the case of ASCII letters."""
    sort: JobSort = "place"
    after: str | None = None
    """Cursor of the page before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptQuery:
    """Which attempts to list. `limit` is 1 or more; None lists all."""

    job_key: str | None = None
    state: AttemptState | None = None
    account: str | None = None
    live_only: bool = False
    delivered_only: bool = False
    """Only those that handed something over."""
    search: str = ""
    """Only attempts with this text in their job's key, their mark or their task's id."""
    created_since: datetime | None = None
    created_before: datetime | None = None
    sort: AttemptSort = "job"
    after: str | None = None
    """Cursor of the page before."""
    limit: int | None = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewQuery:
    """Which reviews to list. `limit` is 1 or more; None lists all."""

    job_key: str | None = None
    delivered_commit: str | None = None
    verdict: Verdict | None = None
    search: str = ""
    """Only reviews with this text in their job's key or in anything that they found."""
    since: datetime | None = None
    before: datetime | None = None
    sort: ReviewSort = "at"
    after: str | None = None
    """Cursor of the page before."""
    limit: int | None = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class BacklogQuery:
    """Which backlogs to list. `limit` is 1 or more; None lists all."""

    search: str = ""
    """Only backlogs with this text in their name, whatever the case of ASCII letters."""
    sort: BacklogSort = "name"
    after: str | None = None
    """Cursor of the page before."""
    limit: int | None = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class BacklogStanding:
    """How the jobs of one backlog stand, without the jobs."""

    name: str
    """Empty: that of the jobs that are in no document."""
    jobs: int
    counts: Mapping[JobStatus, int]
    """How many of them have each status that occurs."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        counts = {status.value: count for status, count in self.counts.items()}
        return {"name": self.name, "jobs": self.jobs, "counts": counts}


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
        """Return jobs in the order of the query."""
        ...

    async def page_jobs(self, query: JobQuery) -> Page[Job]:
        """Return a page of jobs.

        Raises:
            InvalidInputError: limit or cursor cannot be used.
        """
        ...

    async def standing(self, chosen: Collection[JobStatus]) -> QueueStanding:
        """Return how all jobs stand, at one moment, and the keys of those with a `chosen` status."""
        ...

    async def page_backlogs(self, query: BacklogQuery) -> Page[BacklogStanding]:
        """Return a page of the backlogs that have jobs, counted by the store.

        Raises:
            InvalidInputError: limit or cursor cannot be used.
        """
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
        self, job_key: str | None = None, *, live_only: bool = False
    ) -> Sequence[Attempt]:
        """Return all attempts, or those of one job, by job and number."""
        ...

    async def page_attempts(self, query: AttemptQuery) -> Page[Attempt]:
        """Return a page of attempts.

        Raises:
            InvalidInputError: limit or cursor cannot be used.
        """
        ...

    async def get_attempt(self, mark: str) -> Attempt | None:
        """Return the attempt, or None."""
        ...

    async def save_review(self, review: Review, events: Sequence[NewEvent] = ()) -> None:
        """Keep a review; one of the same delivery on the same base is replaced."""
        ...

    async def list_reviews(self, job_key: str) -> Sequence[Review]:
        """Return the job's reviews, oldest first."""
        ...

    async def reviews_of(self, deliveries: Collection[tuple[str, str]]) -> Sequence[Review]:
        """Return all reviews of deliveries, oldest first, whatever base they were checked on.

        Args:
            deliveries: Each the job's key and the delivered commit, at most 1,000.
        """
        ...

    async def page_reviews(self, query: ReviewQuery) -> Page[Review]:
        """Return a page of reviews.

        Raises:
            InvalidInputError: limit or cursor cannot be used.
        """
        ...

"""Reviews that a person asks for again: run beside whatever else happens, and never kept as verdicts.

Whoever asked need not wait at an open request. While one runs, a lease in the store says so; its
result is an event. So any process on the store can tell how it stands, and a review whose program
ended is known to be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.review import Delivery, Review
from jules_job_manager.errors import InvalidInputError, JulesManagerError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.store import Store
from jules_job_manager.services.check_suite import Tell, tell_nobody
from jules_job_manager.services.review import Reviewer

_LOG = logging.getLogger(__name__)
LEASE_SECONDS = 60.0
BEAT_SECONDS = 15.0
RUNNING, DONE, FAILED, LOST = "running", "done", "failed", "lost"


def latest_review(job: Job, reviews: Sequence[Review]) -> Review:
    """Return the newest of a job's reviews.

    Raises:
        InvalidInputError: there is none.
    """
    if not reviews:
        raise InvalidInputError(
            f"No delivery of {job.key} was reviewed yet.",
            hint="`jjm queue run` reviews it when it is there; a branch can be named instead.",
        )
    return max(reviews, key=lambda review: (review.at is not None, review.at))


async def what_was_reviewed(store: Store, job: Job) -> tuple[Attempt, Delivery]:
    """Return the attempt and the delivery that the job's latest review is of.

    Raises:
        InvalidInputError: no delivery of the job was reviewed yet.
    """
    latest = latest_review(job, await store.jobs.list_reviews(job.key))
    attempts = await store.jobs.list_attempts(job.key)
    attempt = next((a for a in attempts if a.mark == latest.mark), attempts[-1])
    return attempt, Delivery(commit=latest.delivered_commit)


async def review_once_more(
    store: Store, reviewer: Reviewer, job: Job, tell: Tell = tell_nobody
) -> Review:
    """Check the delivery that was reviewed last on the base as it is now; nothing is kept.

    Raises:
        InvalidInputError: no delivery of the job was reviewed yet.
        ForgeError: git failed.
    """
    attempt, delivery = await what_was_reviewed(store, job)
    return await reviewer.review(job, attempt, delivery, tell)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepeatedReview:
    """How a review stands that was asked for again."""

    state: str
    """`running`, `done`, `failed` (it could not be run), or `lost` (its program ended over it)."""
    review: Review | None = None
    """Of one that is done."""
    error: Mapping[str, Any] | None = None
    """Of one that failed: `code`, `detail` and `hint` of what went wrong."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "state": self.state,
            "review": None if self.review is None else self.review.to_dict(),
            "error": None if self.error is None else dict(self.error),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RepeatedReview:
        """Read what `to_dict` wrote."""
        review = data["review"]
        return cls(
            state=data["state"], error=data["error"],
            review=None if review is None else Review.from_dict(review),
        )  # fmt: skip


class RepeatedReviews:
    """Runs them in this process, at most some at once, one for a job."""

    def __init__(self, *, store: Store, clock: Clock, at_once: int) -> None:
        """Bind the store.

        Args:
            store: Must be a SQL store.
            clock: Tells the time and waits.
            at_once: Most that run side by side here, >= 1; more wait.
        """
        self._store = store
        self._clock = clock
        self._room = asyncio.Semaphore(at_once)
        self._leases: dict[asyncio.Task[None], Lease] = {}

    async def begin(self, job: Job, work: Callable[[], Awaitable[Review]], *, actor: str) -> str:
        """Begin the review `work` of a job, and return its id; one that runs already is joined."""
        review_id = f"{await self._store.events.last_id()}-{uuid.uuid4().hex}"
        name = _lease_name(job.key)
        lease = await self._store.leases.acquire(name, review_id, seconds=LEASE_SECONDS)
        if lease is None:
            current = await self._store.leases.current(name)
            return review_id if current is None else current.owner
        task = asyncio.create_task(self._run(job, work, lease, actor), name="review again")
        self._leases[task] = lease
        task.add_done_callback(self._leases.pop)
        return review_id

    async def look(self, job_key: str, review_id: str) -> RepeatedReview:
        """Return how the review stands that `begin` named.

        Raises:
            InvalidInputError: that is no id of one.
        """
        lease = await self._store.leases.current(_lease_name(job_key))
        found = await self._result(job_key, review_id)
        if found is not None:
            return found
        is_held = lease is not None and lease.owner == review_id and lease.until > self._clock.now()
        return RepeatedReview(state=RUNNING if is_held else LOST)

    async def aclose(self) -> None:
        """End those that run; whoever asked is told that they are lost."""
        running = dict(self._leases)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for lease in running.values():  # of those that had not even begun
            with contextlib.suppress(JulesManagerError):
                await self._store.leases.release(lease)

    async def _result(self, job_key: str, review_id: str) -> RepeatedReview | None:
        after, dash, rest = review_id.partition("-")
        if not (dash and rest and after.isascii() and after.isdecimal() and len(after) < 19):
            raise InvalidInputError("That is no id of a review that was asked for again.")
        after_id = int(after)
        while page := await self._store.events.read(
            subject=f"job:{job_key}", type=EventType.REVIEW_REPEATED, after_id=after_id
        ):
            for event in page:
                if event.data.get("id") == review_id:
                    return RepeatedReview.from_dict(event.data)
            after_id = page[-1].id
        return None

    async def _run(
        self, job: Job, work: Callable[[], Awaitable[Review]], lease: Lease, actor: str
    ) -> None:
        beat = asyncio.create_task(self._beat(lease))
        try:
            async with self._room:
                found = await _outcome(work)
            event = NewEvent(
                type=EventType.REVIEW_REPEATED, subject=f"job:{job.key}", at=self._clock.now(),
                actor=actor, data={"id": lease.owner, **found.to_dict()},
            )  # fmt: skip
            await self._store.events.append([event])
        except JulesManagerError as exc:  # whoever asked hears that it is lost
            _LOG.warning("a review that was asked for again was not written down: %s", exc)
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            with contextlib.suppress(JulesManagerError):
                await asyncio.shield(self._store.leases.release(lease))

    async def _beat(self, lease: Lease) -> None:
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            with contextlib.suppress(JulesManagerError):
                await self._store.leases.renew(lease, seconds=LEASE_SECONDS)


async def _outcome(work: Callable[[], Awaitable[Review]]) -> RepeatedReview:
    try:
        return RepeatedReview(state=DONE, review=await work())
    except JulesManagerError as exc:
        error = {
            "code": exc.code,
            "detail": exc.for_clients,
            "hint": None if exc.outside else exc.hint,
        }
    except Exception:  # noqa: BLE001 - whoever asked must hear of it
        _LOG.exception("a review that was asked for again ended")
        error = {
            "code": JulesManagerError.code, "hint": "The log of the service has it.",
            "detail": "Something unexpected happened while the delivery was checked.",
        }  # fmt: skip
    return RepeatedReview(state=FAILED, error=error)


def _lease_name(job_key: str) -> str:
    return f"review_again:{job_key}"

"""What attempts have handed over, with what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.job import Attempt, AttemptState
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.ports.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """A delivery of an attempt, and its latest review."""

    attempt: Attempt
    review: Review | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "job_key": self.attempt.job_key,
            "mark": self.attempt.mark,
            "commit": self.attempt.delivered_commit,
            "task_id": self.attempt.task_id,
            "at": optional_to_rfc3339(self.attempt.updated_at),
            "verdict": self.verdict,
            "reviewed_at": optional_to_rfc3339(self.reviewed_at),
            "merged": self.attempt.state is AttemptState.ACCEPTED,
        }

    @property
    def verdict(self) -> Verdict | None:
        """Of the latest review; None: it was not reviewed yet."""
        return None if self.review is None else self.review.verdict

    @property
    def reviewed_at(self) -> datetime | None:
        """When that was."""
        return None if self.review is None else self.review.at


async def deliveries_of(store: Store, attempts: Sequence[Attempt]) -> list[HandedOver]:
    """Return the deliveries among these attempts, in their order.

    Args:
        store: Where reviews are kept.
        attempts: At most 1,000.

    Raises:
        StoreError: the store failed.
    """
    delivered = [attempt for attempt in attempts if attempt.delivered_commit]
    reviews = await store.jobs.reviews_of({_delivery(attempt) for attempt in delivered})
    latest = {(review.job_key, review.delivered_commit): review for review in reviews}
    return [
        HandedOver(attempt=attempt, review=latest.get(_delivery(attempt))) for attempt in delivered
    ]


def _delivery(attempt: Attempt) -> tuple[str, str]:
    return attempt.job_key, attempt.delivered_commit

"""Reviews to be run: rows that workers claim, so that any number of machines may share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.review import Review


@dataclass(frozen=True, kw_only=True, slots=True)
class Companion:
    """A delivery that is checked together with another, merged after it."""

    job_key: str
    mark: str
    delivered_commit: str
    branch: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewRun:
    """One delivery, or several merged one after the other, to be checked on one base commit."""

    job_key: str
    mark: str
    delivered_commit: str
    branch: str
    base_commit: str
    together: tuple[Companion, ...] = ()
    """Those that are merged after it and checked with it, in order."""
    state: str = "queued"
    """`queued`, `running` or `failed` (it could not be run, whatever the delivery is like)."""
    owner: str = ""
    tries: int = 0
    """How many times it was begun; not those that its worker put back or died over."""
    due: datetime | None = None
    """Queued: not to be begun before. Running: when its worker counts as dead. Set by the queue."""
    error: str = ""

    @property
    def id(self) -> str:
        """What makes it the same run: attempt, delivery and base."""
        return f"{self.mark}/{self.delivered_commit}/{self.base_commit}"


class ReviewQueue(Protocol):
    """Keeps review runs. A finished run is gone; its review is kept.

    Every method may raise StoreUnavailableError.
    """

    async def enqueue(self, run: ReviewRun) -> bool:
        """Add a run, due now; False when it is there already. Runs of the attempt on other commits go."""
        ...

    async def claim(self, owner: str, *, seconds: float, run_id: str = "") -> ReviewRun | None:
        """Take the run that is due longest, also from a dead worker; None when nothing is due.

        Args:
            owner: Who takes it.
            seconds: When the owner counts as dead, unless it says before that it lives.
            run_id: Take no other than this one.
        """
        ...

    async def due_in(self, run_id: str) -> float | None:
        """Return in how many seconds a run may be claimed, >= 0; None when it is gone or failed."""
        ...

    async def keep(self, run: ReviewRun, *, seconds: float) -> bool:
        """Say that the worker lives; False when the run is no longer its own."""
        ...

    async def finish(
        self, run: ReviewRun, reviews: Sequence[Review], events: Sequence[NewEvent] = ()
    ) -> bool:
        """Keep the reviews and remove the run; False, and nothing is kept, when it is not its own."""
        ...

    async def put_back(self, run: ReviewRun, *, seconds: float, error: str, failed: bool) -> bool:
        """Let it be begun again after `seconds`, or mark it failed; False when it is not its own.

        Without an `error` it was only given back, which does not count as a try.
        """
        ...

    async def active(self) -> Sequence[ReviewRun]:
        """Return every run there is."""
        ...

    async def remove(self, marks: Sequence[str]) -> int:
        """Remove the runs of these attempts; return how many there were."""
        ...

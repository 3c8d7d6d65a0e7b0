"""Runs the reviews that wait in line, on this machine; any number of workers share the line."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.review import CheckResult, Conclusion, Delivery, Review, Verdict
from jules_job_manager.errors import ConfigurationError, ForgeError, JulesManagerError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.review_queue import Companion, ReviewRun
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.tracer import Tracer
from jules_job_manager.services.batches import note_failed_batch
from jules_job_manager.services.posting import show_report
from jules_job_manager.services.queue_state import Progress
from jules_job_manager.services.review import Reviewer
from jules_job_manager.services.tracing import Untraced

_LOG = logging.getLogger(__name__)
CLAIM_SECONDS = 40.0
"""After so long without a sign of life a worker counts as dead and its review is begun again."""
BEAT_SECONDS = 10.0
MOST_TRIES = 5
"""Most times a review that cannot be run (git failed, say) is begun."""
AGAIN_SECONDS = 15.0


class ReviewWorker:
    """Claims one review after another."""

    def __init__(
        self,
        *,
        store: Store,
        reviewer: Reviewer,
        clock: Clock,
        owner: str,
        report: Callable[[Progress], None],
        wake: Callable[[], None],
        tracer: Tracer | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps the line and the results.
            reviewer: Merges and checks.
            clock: Tells the time.
            owner: Unique to this run of the program.
            report: Told of every result.
            wake: Called when a result is there.
            tracer: Records each review; None: nothing does.
        """
        self._tracer = tracer or Untraced()
        self._store = store
        self._reviewer = reviewer
        self._clock = clock
        self._owner = owner
        self._report = report
        self._wake = wake

    async def run_one(self, run_id: str = "") -> bool:
        """Run the review that is due longest, or this one; False when it is not due.

        Raises:
            StoreError: the store failed; the review is begun again when its claim has run out.
        """
        run = await self._store.review_queue.claim(
            self._owner, seconds=CLAIM_SECONDS, run_id=run_id
        )
        if run is None:
            return False
        work = asyncio.ensure_future(self._reviewed(run))
        beat = asyncio.ensure_future(self._beat(run, work))
        try:
            reviews = await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                await asyncio.shield(self._let_go(run))
                raise
            return True  # another worker has it now
        except ConfigurationError as exc:  # trying again does not mend it
            await self._put_back(run, str(exc), is_final=True)
        except JulesManagerError as exc:
            await self._put_back(run, str(exc))
        else:
            await self._finish(run, reviews)
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
        self._wake()
        return True

    async def _reviewed(self, run: ReviewRun) -> Sequence[Review]:
        with self._tracer.span("review", jjm_job=run.job_key, jjm_commit=run.delivered_commit):
            return await self._reviews(run)

    async def _reviews(self, run: ReviewRun) -> Sequence[Review]:
        first = Companion(job_key=run.job_key, mark=run.mark, branch=run.branch,
                          delivered_commit=run.delivered_commit)  # fmt: skip
        parts = [await self._part(one) for one in (first, *run.together)]
        known = [part for part in parts if part is not None]
        self._reviewer.begin_look()
        if len(known) < len(parts):
            return ()  # someone of them is not wanted any more; what is, is decided on anew

        def tell(result: CheckResult) -> None:
            self._tell(run, result)

        if not run.together:
            return [await self._reviewer.review(*known[0], tell=tell)]
        reviews = await self._reviewer.review_together(known, tell=tell)
        if not reviews:
            await note_failed_batch(self._store, run)
            names = ", ".join(one.job_key for one in run.together)
            self._say(run, f"not accepted (together with {names}); fewer are checked at a time")
        return reviews

    async def _part(self, one: Companion) -> tuple[Job, Attempt, Delivery] | None:
        job = await self._store.jobs.get_job(one.job_key)
        attempts = await self._store.jobs.list_attempts(one.job_key, live_only=True)
        attempt = next((a for a in attempts if a.mark == one.mark), None)
        if job is None or attempt is None:
            return None
        return job, attempt, Delivery(commit=one.delivered_commit, branch=one.branch)

    def _tell(self, run: ReviewRun, result: CheckResult) -> None:
        """Say at once that a command failed, while others still run."""
        if result.is_failed and result.command:
            how = "ran out of time" if result.conclusion is Conclusion.TIMED_OUT else "failed"
            self._say(run, f"{result.name} {how} after {result.duration_seconds:.1f} s")

    async def _beat(self, run: ReviewRun, work: asyncio.Future[Sequence[Review]]) -> None:
        while await self._store.review_queue.keep(run, seconds=CLAIM_SECONDS):
            await self._clock.sleep(BEAT_SECONDS)
        work.cancel()

    async def _finish(self, run: ReviewRun, reviews: Sequence[Review]) -> None:
        events = [
            NewEvent(
                type=EventType.REVIEW_FINISHED, subject=f"job:{review.job_key}",
                at=self._clock.now(), data=review.to_dict(),
            )
            for review in reviews
        ]  # fmt: skip
        if not await self._store.review_queue.finish(run, reviews, events):
            return
        together = f" (together with {', '.join(o.job_key for o in run.together)})"
        if reviews:
            self._say(run, _outcome(reviews[0]) + (together if run.together else ""))
        branches = {run.job_key: run.branch} | {o.job_key: o.branch for o in run.together}
        for review in reviews:
            await self._show(run, review, branches[review.job_key])

    async def _show(self, run: ReviewRun, review: Review, branch: str) -> None:
        """Put the report on the pull request. A review is one without it, too."""
        requests = self._reviewer.pull_requests
        job = None if requests is None else await self._store.jobs.get_job(review.job_key)
        if requests is None or job is None:
            return
        delivery = Delivery(commit=review.delivered_commit, branch=branch)
        try:
            await show_report(requests, job, delivery, review)
        except ForgeError as exc:
            self._say(run, f"its report is not on the pull request: {exc}")

    async def _put_back(self, run: ReviewRun, error: str, *, is_final: bool = False) -> None:
        failed = is_final or run.tries >= MOST_TRIES
        pause = AGAIN_SECONDS * (1 << min(run.tries, 8))
        await self._store.review_queue.put_back(run, seconds=pause, error=error, failed=failed)
        self._say(run, f"could not be checked: {error}")

    async def _let_go(self, run: ReviewRun) -> None:
        with contextlib.suppress(JulesManagerError):
            await self._store.review_queue.put_back(run, seconds=0, error="", failed=False)

    def _say(self, run: ReviewRun, text: str) -> None:
        _LOG.info("%s: %s", run.job_key, text, extra={"action": "review"})
        self._report(Progress(at=self._clock.now(), job_key=run.job_key, text=text, rule="review"))


def _outcome(review: Review) -> str:
    failed = [check.name for check in review.checks if check.is_failed]
    if review.verdict is Verdict.REJECT:
        return f"rejected: {', '.join(failed)}"
    if review.verdict is Verdict.ESCALATE:
        return "a person must judge it"
    shown = [c.name for c in review.checks if c.conclusion is Conclusion.FAILURE]
    passed = "every required check passed" if shown else "every check passed"
    return f"{passed}; worth a look: {', '.join(shown)}" if shown else passed

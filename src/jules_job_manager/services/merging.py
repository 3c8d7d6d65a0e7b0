"""The last effect on an attempt: merging what was accepted, or learning why it must wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from jules_job_manager.domain.event import EventType
from jules_job_manager.domain.evidence import PROMISED_FILES, ticked
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.orchestration.snapshot import MergeWait
from jules_job_manager.domain.review import Delivery, Review, verdict_of
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.forge import Merged, NotYet, Refused
from jules_job_manager.services.posting import show_report
from jules_job_manager.services.queue_state import QueueState
from jules_job_manager.services.review import Reviewer

WAIT = timedelta(seconds=30)
"""How long a forge that said "not yet", or that failed, is left alone."""
_RULES = frozenset({405, 422})
"""Answers of a forge whose rules do not allow the merge now: a person may have to do something."""


class Merging:
    """Merges accepted deliveries."""

    def __init__(
        self,
        *,
        state: QueueState,
        reviewer: Reviewer,
        hold_on: Callable[[], Awaitable[None]],
    ) -> None:
        """Bind the parts; `hold_on` raises LeaseLostError when nothing may be merged now."""
        self._state = state
        self._clock = state.clock
        self._reviewer = reviewer
        self._hold_on = hold_on
        self._again_at: dict[str, datetime] = {}
        self.waits: dict[str, MergeWait] = {}
        """By mark: what a merge waits for."""

    async def merge(self, job: Job, attempt: Attempt, review: Review, branch: str) -> bool:
        """Merge the checked delivery, and only then call the job done.

        Returns:
            Whether anything changed; False when the base moved, or the forge is to be asked later.

        Raises:
            ForgeError: the forge failed.
        """
        now = self._clock.now()
        if now < self._again_at.get(attempt.mark, now):
            return False
        await self._hold_on()
        try:
            outcome = await self._reviewer.merge(job, review, branch=branch)
        except ForgeError as exc:
            if exc.context.get("status") in _RULES:
                return await self._wait(job, attempt, review, branch, exc.message)
            if not exc.context.get("moved"):
                self._again_at[attempt.mark] = now + WAIT
            raise
        if isinstance(outcome, NotYet):
            return await self._wait(job, attempt, review, branch, outcome.reason)
        self.waits.pop(attempt.mark, None)
        if outcome is None:
            self._state.say(job.key, "the base moved; it will be checked again")
            return False
        if isinstance(outcome, Refused):
            await self._reject(job, review, branch, outcome)
        else:
            await self._done(job, attempt, review, outcome)
            await self._show(job, review, branch)
        return True

    async def _show(self, job: Job, review: Review, branch: str) -> None:
        """Put the report on the pull request, which may be new. Nothing depends on it."""
        requests = self._reviewer.pull_requests
        if requests is None:
            return
        delivery = Delivery(commit=review.delivered_commit, branch=branch)
        try:
            await show_report(requests, job, delivery, review)
        except ForgeError as exc:
            self._state.say(job.key, f"its report is not on the pull request: {exc}")

    async def _wait(
        self, job: Job, attempt: Attempt, review: Review, branch: str, reason: str
    ) -> bool:
        """Remember what is waited for; the next look tells it."""
        now = self._clock.now()
        self._again_at[attempt.mark] = now + WAIT
        known = self.waits.get(attempt.mark)
        if known is not None and known.reason == reason:
            return False
        self.waits[attempt.mark] = MergeWait(
            reason=reason, since=now if known is None else known.since
        )
        self._state.say(job.key, f"not merged yet: {reason}", "merge")
        if known is None:
            await self._show(job, review, branch)
        return True

    async def _reject(self, job: Job, review: Review, branch: str, refused: Refused) -> None:
        """Let the review say what the forge's checks say, so that it goes the way of a rejection."""
        names = {check.name for check in refused.checks}
        checks = (*(c for c in review.checks if c.name not in names), *refused.checks)
        now = self._clock.now()
        rejected = replace(review, checks=checks, verdict=verdict_of(checks), at=now)
        event = self._state.event(EventType.REVIEW_FINISHED, job.key, **rejected.to_dict())
        await self._state.jobs.save_review(rejected, [event])
        self._state.say(job.key, f"rejected: {', '.join(sorted(names))}", "merge")
        await self._show(job, rejected, branch)

    async def _done(self, job: Job, attempt: Attempt, review: Review, merged: Merged) -> None:
        now = self._clock.now()
        ended = replace(
            attempt, state=AttemptState.ACCEPTED, delivered_commit=review.delivered_commit,
            updated_at=now,
        )  # fmt: skip

        def done(known: Job) -> Job:
            return replace(
                known, status=JobStatus.DONE, reason="", merge_commit=merged.commit, finished_at=now,
                checklist=ticked(known, review.checks, promised=PROMISED_FILES),
            )  # fmt: skip

        noted = {"note": merged.note} if merged.note else {}
        event = self._state.event(
            EventType.MERGED, job.key, commit=merged.commit, base=review.base_commit, **noted
        )
        after = await self._state.write(
            job, done, "every check passed", attempt=ended, events=[event]
        )
        self._again_at.pop(attempt.mark, None)
        self._state.say(job.key, f"merged into {job.base_branch} as {merged.commit[:8]}", "merge")
        if merged.note:
            self._state.say(job.key, f"look at the merge: {merged.note}", "merge")
        for item in () if after is None else after.checklist:
            if item.evidence and item not in job.checklist:
                self._state.say(job.key, f"proved: {item.text} ({item.evidence})", "merge")

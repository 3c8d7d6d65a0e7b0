"""What to do next for an attempt whose task is finished."""

from __future__ import annotations

from datetime import datetime

from jules_job_manager.domain.evidence import PROMISED_FILES, ticked
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.orchestration.actions import (
    Action,
    Fail,
    Merge,
    Retry,
    RunReview,
    SendFeedback,
    SetStatus,
)
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import NOTHING_DELIVERED, Snapshot
from jules_job_manager.domain.orchestration.statuses import ask, running, status
from jules_job_manager.domain.orchestration.waits import waited
from jules_job_manager.domain.review import Review, Verdict

_PASSED = frozenset({"success", "skipped", "neutral"})


def delivered(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> list[Action]:
    """Return what to do about what the finished task handed over, in order."""
    commit = snapshot.deliveries.get(attempt.mark)
    if commit is None:
        return []
    if commit == attempt.delivered_commit:
        return [_unchanged(snapshot, job, attempt, now, policy)]
    if commit == NOTHING_DELIVERED:
        return [_reject(job, attempt, commit, "Jules delivered nothing", policy)]
    return _judged(snapshot, job, attempt, commit, now, policy)


def give_up(job: Job, attempt: Attempt, why: str, policy: Policy, *, carry: bool = False) -> Action:
    """End the attempt: with another one while the policy allows one, else for good.

    `carry` gives the next one the work so far.
    """
    if attempt.tries < policy.max_attempts:
        return Retry(
            job_key=job.key, mark=attempt.mark, rule="queue.max_attempts allows another",
            reason=why, carry=carry,
        )  # fmt: skip
    return Fail(
        job_key=job.key, mark=attempt.mark, rule="queue.max_attempts is used up", reason=why
    )


def _judged(
    snapshot: Snapshot, job: Job, attempt: Attempt, commit: str, now: datetime, policy: Policy
) -> list[Action]:
    review = snapshot.reviews.get(attempt.mark)
    base = snapshot.bases.get(attempt.mark, "")
    if review is None or (review.delivered_commit, review.base_commit) != (commit, base):
        look = RunReview(job_key=job.key, mark=attempt.mark, rule="deliveries are reviewed")
        said = status(job, JobStatus.REVIEWING, "", look.rule)
        return [said] if attempt.mark in snapshot.reviewing else [said, look]
    if review.verdict is Verdict.ACCEPT:
        return _accepted(snapshot, job, attempt, review, now, policy)
    if review.verdict is Verdict.ESCALATE:
        return [ask(job, f"its delivery could not be judged: {failed_check(review)}")]
    if attempt.mark in snapshot.circles:
        why = f"it goes in circles: rejected again for what it had delivered before ({failed_check(review)})"
        return [give_up(job, attempt, why, policy, carry=True)]
    return [_reject(job, attempt, commit, failed_check(review), policy)]


def _accepted(
    snapshot: Snapshot, job: Job, attempt: Attempt, review: Review, now: datetime, policy: Policy
) -> list[Action]:
    """Return what to do with a delivery that passed: merge it, or let a person say so."""
    rule = "a person approved the merge"
    if review.delivered_commit not in snapshot.approved:
        rule, asks = rule_on_merge(job, review, policy)
        if asks:
            size = f"{review.changed_files} files, {review.changed_lines} lines"
            return [ask(job, f"passed, and waits for you to merge it ({rule}; {size}): "
                             f"jjm review {job.key!r}, then jjm merge approve {job.key!r}")]  # fmt: skip
        lacking = _unproven(job, review) if policy.unproven == "ask" else []
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            return [ask(job, f"passed, but nothing proves {lacking[0]!r}{more}: jjm review {job.key!r}, "
                             f"then jjm review sign {job.key!r} LINE --evidence TEXT")]  # fmt: skip
    merge = Merge(job_key=job.key, mark=attempt.mark, rule=rule)
    return [_merging(snapshot, job, attempt, rule, now, policy), merge]


def rule_on_merge(job: Job, review: Review, policy: Policy) -> tuple[str, bool]:
    """Return the rule that decides on merging an accepted delivery, and whether a person must."""
    for rule in policy.merge_rules:
        if rule.fits(review, job):
            return f"merge rule {rule.name}", rule.decision == "ask"
    if policy.merge == "ask":
        return "queue.merge = ask", True
    return "every check passed", False


def _merging(
    snapshot: Snapshot, job: Job, attempt: Attempt, rule: str, now: datetime, policy: Policy
) -> SetStatus:
    """Say where a job stands whose delivery is accepted. It goes on being tried in any case."""
    wait = snapshot.merge_waits.get(attempt.mark)
    if wait is None:
        return status(job, JobStatus.MERGING, "", rule)
    if now - wait.since > policy.merge_patience:
        return ask(job, f"its merge waits for long: {wait.reason}")
    return status(job, JobStatus.MERGING, f"waits: {wait.reason}", "the forge lets it wait")


def _unproven(job: Job, review: Review) -> list[str]:
    lines = ticked(job, review.checks, promised=PROMISED_FILES)
    return [item.text for item in lines if not item.checked]


def failed_check(review: Review) -> str:
    """Return the first required check that did not pass, in words."""
    required = [check for check in review.checks if check.is_required]
    bad = next((c for c in required if c.conclusion.value not in _PASSED), None)
    return "a check failed" if bad is None else f"check failed: {bad.name}"


def _unchanged(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> Action:
    if attempt.mark in snapshot.unheard and waited(snapshot, attempt, now, policy):
        return SendFeedback(job_key=job.key, mark=attempt.mark, commit=attempt.delivered_commit,
                            rule="the feedback did not arrive", again=True)  # fmt: skip
    if attempt.mark in snapshot.answered:
        return _reject(
            job, attempt, attempt.delivered_commit, "Jules changed nothing after feedback", policy
        )
    if attempt.updated_at is not None and now - attempt.updated_at > policy.repair_patience:
        return ask(job, f"Jules does not react to feedback: jjm get {attempt.task_id}")
    return running(job, f"repairs after feedback (round {attempt.feedback_rounds})")


def _reject(job: Job, attempt: Attempt, commit: str, why: str, policy: Policy) -> Action:
    if attempt.feedback_rounds < policy.max_feedback_rounds:
        return SendFeedback(
            job_key=job.key, mark=attempt.mark, commit=commit, rule=f"rejected: {why}"
        )
    rounds = "1 round" if attempt.feedback_rounds == 1 else f"{attempt.feedback_rounds} rounds"
    return give_up(
        job, attempt, f"{why} (after {rounds})", policy, carry=commit != NOTHING_DELIVERED
    )

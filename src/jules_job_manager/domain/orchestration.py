"""The whole orchestration as one pure function: what is known in, what to do next out.

`decide` is level-triggered: it looks only at the snapshot, so a missed or repeated look is
harmless, and a snapshot in which the actions have taken effect asks for none of them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus

NOTHING_DELIVERED = "-"
"""Stands for the commit of a finished task that handed over neither branch nor patch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What may be decided without a person."""

    concurrency: int = 3
    """Most live attempts at once, >= 1."""
    approve: str = "ask"
    """Plans: `ask`, `always` or `policy`."""
    approve_max_steps: int = 12
    approve_refuse_words: tuple[str, ...] = ()
    answer: str = ""
    max_answers: int = 5
    """Most times the configured answer goes to one task."""
    max_feedback_rounds: int = 3
    max_attempts: int = 2
    settle_grace: timedelta = timedelta(seconds=10)
    """How long a create without an answer may still take effect."""
    repair_patience: timedelta = timedelta(minutes=30)
    """How long a task may stay unchanged after feedback before a person is asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What is known at one moment."""

    jobs: tuple[Job, ...]
    attempts: tuple[Attempt, ...] = ()
    tasks: Mapping[str, JulesTask] = field(default_factory=dict)
    """Tasks of live attempts, by task id."""
    deliveries: Mapping[str, str] = field(default_factory=dict)
    """What each finished live attempt hands over, by mark: a commit, or NOTHING_DELIVERED."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """The commit of the base branch, by job key."""
    reviews: Mapping[str, Review] = field(default_factory=dict)
    """The latest usable review, by mark."""
    answered: frozenset[str] = frozenset()
    """Marks of attempts whose task finished again after the last message sent to it."""
    holds_until: datetime | None = None
    """No task is created before this moment (quota used up)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Something to do for one job. `rule` names what decided it."""

    job_key: str
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch(Action):
    """Create a task for the job; `number` is the attempt's."""

    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptAction(Action):
    """Something to do for a live attempt."""

    mark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Settle(AttemptAction):
    """Look for the task of an intended attempt by its mark; create it when it is surely absent."""

    may_create: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Approve(AttemptAction):
    """Approve the plan, if it still is the one with this fingerprint."""

    fingerprint: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer(AttemptAction):
    """Send the configured answer."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunReview(AttemptAction):
    """Check the delivery on the present base."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SendFeedback(AttemptAction):
    """Send what is wrong with `commit` back to the same task."""

    commit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Merge(AttemptAction):
    """Merge the accepted delivery."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry(AttemptAction):
    """End the attempt; the job gets another one."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fail(AttemptAction):
    """End the attempt and give the job up."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetStatus(Action):
    """Say where the job stands. NEEDS_YOU asks a person."""

    status: JobStatus
    reason: str


def decide(snapshot: Snapshot, now: datetime, policy: Policy) -> list[Action]:
    """Return what to do next, in order: live attempts first, then new ones.

    Args:
        snapshot: What is known.
        now: The time, aware UTC.
        policy: What may be decided without a person.
    """
    by_key = {job.key: job for job in snapshot.jobs}
    live = [a for a in snapshot.attempts if a.state.is_live and a.job_key in by_key]
    actions: list[Action] = []
    for attempt in live:
        job = by_key[attempt.job_key]
        actions += [
            action
            for action in _attempt_actions(snapshot, job, attempt, now, policy)
            if not _already(action, job)
        ]
    return actions + _waiting_jobs(snapshot, {a.job_key for a in live}, len(live), now, policy)


def refusal(plan: Plan | None, policy: Policy) -> str | None:
    """Return why a person must see the plan, or None when the policy approves it."""
    if policy.approve == "always":
        return None
    if policy.approve == "ask":
        return "its plan waits for your approval"
    if plan is None or not plan.steps:
        return "its plan could not be read, so the policy leaves it to you"
    if len(plan.steps) > policy.approve_max_steps:
        return (
            f"its plan has {len(plan.steps)} steps, and the policy approves "
            f"at most {policy.approve_max_steps}"
        )
    text = "\n".join(f"{step.title}\n{step.description}" for step in plan.steps).casefold()
    word = next((w for w in policy.approve_refuse_words if w.casefold() in text), None)
    return None if word is None else f"its plan says {word!r}, which the policy leaves to you"


def may_still_move(snapshot: Snapshot, policy: Policy) -> bool:
    """Return whether anything can happen without a person."""
    live = {a.job_key for a in snapshot.attempts if a.state.is_live}
    working = {job.key for job in snapshot.jobs if job.status is not JobStatus.NEEDS_YOU} & live
    has_room = len(live) < policy.concurrency
    return bool(working) or (
        has_room and any(job.status is JobStatus.READY and job.prompt for job in snapshot.jobs)
    )


def _already(action: Action, job: Job) -> bool:
    return isinstance(action, SetStatus) and (action.status, action.reason) == (
        job.status,
        job.reason,
    )


def _attempt_actions(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> list[Action]:
    if not attempt.task_id:
        return [_settle(snapshot, job, attempt, now, policy)]
    task = snapshot.tasks.get(attempt.task_id)
    if task is None:
        return []
    if task.status is TaskStatus.COMPLETED:
        return _delivered(snapshot, job, attempt, now, policy)
    return [_unfinished(job, attempt, task, policy)]


def _unfinished(job: Job, attempt: Attempt, task: JulesTask, policy: Policy) -> Action:
    action: Action = _running(job, "")
    match task.status:
        case TaskStatus.WAITING_APPROVAL:
            action = _plan_action(job, attempt, task, policy)
        case TaskStatus.WAITING_FEEDBACK:
            action = _question_action(job, attempt, task, policy)
        case TaskStatus.FAILED | TaskStatus.CANCELLED:
            action = _give_up(job, attempt, f"Jules ended the task as {task.status.value}", policy)
        case TaskStatus.PAUSED:
            action = _ask(job, f"its task is paused; go on with: jjm resume {task.id}")
        case TaskStatus.UNKNOWN:
            action = _running(job, f"Jules says {task.raw_state or 'nothing we know'}")
    return action


def _settle(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> Settle:
    written = attempt.updated_at or attempt.created_at
    waited = written is None or now - written >= policy.settle_grace
    held = snapshot.holds_until is not None and now < snapshot.holds_until
    return Settle(
        job_key=job.key,
        mark=attempt.mark,
        rule="intent before task",
        may_create=waited and not held,
    )


def _plan_action(job: Job, attempt: Attempt, task: JulesTask, policy: Policy) -> Action:
    why = refusal(task.plan, policy)
    if why is not None:
        return _ask(job, f"{why}: jjm plan {task.id}, then jjm approve {task.id}")
    fingerprint = None if task.plan is None else task.plan.fingerprint
    rule = f"queue.approve = {policy.approve}"
    return Approve(job_key=job.key, mark=attempt.mark, rule=rule, fingerprint=fingerprint)


def _question_action(job: Job, attempt: Attempt, task: JulesTask, policy: Policy) -> Action:
    chat = task.chat_history
    if chat and chat[-1].type == "user":
        return _running(job, "answered; Jules has not gone on yet")
    given = sum(1 for m in chat if m.type == "user" and m.content == policy.answer)
    if policy.answer and given < policy.max_answers:
        return Answer(job_key=job.key, mark=attempt.mark, rule="queue.answer", text=policy.answer)
    return _ask(job, f"Jules asks something: jjm get {task.id}, then jjm message {task.id} TEXT")


def _delivered(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> list[Action]:
    commit = snapshot.deliveries.get(attempt.mark)
    if commit is None:
        return []
    if commit == attempt.delivered_commit:
        return [_unchanged(snapshot, job, attempt, now, policy)]
    if commit == NOTHING_DELIVERED:
        return [_reject(job, attempt, commit, "Jules delivered nothing", policy)]
    return _judged(snapshot, job, attempt, commit, policy)


def _judged(
    snapshot: Snapshot, job: Job, attempt: Attempt, commit: str, policy: Policy
) -> list[Action]:
    review = snapshot.reviews.get(attempt.mark)
    base = snapshot.bases.get(job.key, "")
    if review is None or (review.delivered_commit, review.base_commit) != (commit, base):
        look = RunReview(job_key=job.key, mark=attempt.mark, rule="deliveries are reviewed")
        return [_status(job, JobStatus.REVIEWING, "", look.rule), look]
    if review.verdict is Verdict.ACCEPT:
        merge = Merge(job_key=job.key, mark=attempt.mark, rule="every check passed")
        return [_status(job, JobStatus.MERGING, "", merge.rule), merge]
    if review.verdict is Verdict.ESCALATE:
        return [_ask(job, f"its delivery could not be judged: {_failed_check(review)}")]
    return [_reject(job, attempt, commit, _failed_check(review), policy)]


def _failed_check(review: Review) -> str:
    bad = next((c for c in review.checks if c.conclusion.value not in {"success", "skipped"}), None)
    return "a check failed" if bad is None else f"check failed: {bad.name}"


def _unchanged(
    snapshot: Snapshot, job: Job, attempt: Attempt, now: datetime, policy: Policy
) -> Action:
    if attempt.mark in snapshot.answered:
        return _reject(
            job, attempt, attempt.delivered_commit, "Jules changed nothing after feedback", policy
        )
    if attempt.updated_at is not None and now - attempt.updated_at > policy.repair_patience:
        return _ask(job, f"Jules does not react to feedback: jjm get {attempt.task_id}")
    return _running(job, f"repairs after feedback (round {attempt.feedback_rounds})")


def _reject(job: Job, attempt: Attempt, commit: str, why: str, policy: Policy) -> Action:
    if attempt.feedback_rounds < policy.max_feedback_rounds:
        return SendFeedback(
            job_key=job.key, mark=attempt.mark, commit=commit, rule=f"rejected: {why}"
        )
    return _give_up(job, attempt, f"{why} (after {attempt.feedback_rounds} rounds)", policy)


def _give_up(job: Job, attempt: Attempt, why: str, policy: Policy) -> Action:
    if attempt.number < policy.max_attempts:
        return Retry(
            job_key=job.key, mark=attempt.mark, rule="queue.max_attempts allows another", reason=why
        )
    return Fail(
        job_key=job.key, mark=attempt.mark, rule="queue.max_attempts is used up", reason=why
    )


def _status(job: Job, status: JobStatus, reason: str, rule: str) -> SetStatus:
    return SetStatus(job_key=job.key, status=status, reason=reason, rule=rule)


def _running(job: Job, reason: str) -> SetStatus:
    return _status(job, JobStatus.RUNNING, reason, "as Jules says")


def _ask(job: Job, reason: str) -> SetStatus:
    return _status(job, JobStatus.NEEDS_YOU, reason, "a person decides")


def _waiting_jobs(
    snapshot: Snapshot, busy: set[str], at_work: int, now: datetime, policy: Policy
) -> list[Action]:
    statuses = {job.key: job.status for job in snapshot.jobs}
    numbers: dict[str, int] = {}
    for attempt in snapshot.attempts:
        numbers[attempt.job_key] = max(numbers.get(attempt.job_key, 0), attempt.number)
    room = policy.concurrency - at_work
    held = snapshot.holds_until is not None and now < snapshot.holds_until
    actions: list[Action] = []
    for job in sorted(snapshot.jobs, key=_order):
        if job.key in busy or job.status not in {JobStatus.BLOCKED, JobStatus.READY}:
            continue
        waits = waiting_reason(job, statuses)
        if waits or not job.prompt.strip():
            action: Action = _status(
                job, JobStatus.BLOCKED, waits or "has no prompt", "dependencies"
            )
        elif room > 0 and not held:
            room -= 1
            number = numbers.get(job.key, 0) + 1
            action = Dispatch(job_key=job.key, rule="dependencies are done", number=number)
        else:
            why = "Jules' quota is used up for now" if held else "waits for a free slot"
            action = _status(job, JobStatus.READY, why, "queue.concurrency")
        if not _already(action, job):
            actions.append(action)
    return actions


def _order(job: Job) -> tuple[int, str, int, str]:
    return (job.priority.rank, job.backlog, job.position, job.key)


def waiting_reason(job: Job, statuses: Mapping[str, JobStatus]) -> str:
    """Return what the job waits for, in words, or an empty text when nothing holds it back."""
    open_keys = [key for key in job.depends_on if statuses.get(key) is not JobStatus.DONE]
    return "" if not open_keys else f"waits for {_listed(open_keys, statuses)}"


def _listed(keys: Sequence[str], statuses: Mapping[str, JobStatus]) -> str:
    words = {JobStatus.FAILED: "failed", JobStatus.CANCELLED: "was cancelled", JobStatus.DRAFT: "is a draft"}  # fmt: skip
    texts = []
    for key in dict.fromkeys(keys):
        status = statuses.get(key)
        note = "is not in the queue" if status is None else words.get(status)
        texts.append(key if note is None else f"{key}, which {note}")
    return " and ".join(texts)

"""What can be done next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jules_job_manager.domain.job import JobStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Something to do for one job. `rule` names what decided it."""

    job_key: str
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch(Action):
    """Create a task for the job with `account`; `number` is the attempt's."""

    number: int
    account: str = "default"
    lane: int = 0
    start_branch: str = ""
    """Branch to start from; empty: the job's base branch."""
    carry: str = ""
    """Mark of a stalled attempt whose work so far the new one gets; empty: none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetStatus(Action):
    """Say where the job stands. NEEDS_YOU asks a person."""

    status: JobStatus
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recur(Action):
    """Let a finished recurring job wait for its next time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptAction(Action):
    """Something to do for a live attempt."""

    mark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Settle(AttemptAction):
    """Look for the task of an intended attempt by its mark; create it when it is surely absent.

    With `give_up` the attempt is ended when there surely is no task: its job is over.
    """

    may_create: bool
    give_up: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdraw(AttemptAction):
    """End an attempt that is not wanted any more, and archive its task."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Approve(AttemptAction):
    """Approve the plan, if it still is the one with this fingerprint."""

    fingerprint: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AskPlan(AttemptAction):
    """Let a person decide on the plan with this fingerprint; `reason` says why."""

    reason: str
    fingerprint: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer(AttemptAction):
    """Send an answer: `text`, or what `command` prints when it is given the `question`."""

    text: str
    command: str = ""
    question: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nudge(AttemptAction):
    """Ask a silent task to go on, for the `number`th time."""

    number: int
    text: str
    quiet_since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RunReview(AttemptAction):
    """Check the delivery on the present base."""

    together: tuple[str, ...] = ()
    """Marks of attempts whose deliveries are merged after it and checked with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SendFeedback(AttemptAction):
    """Send what is wrong with `commit` back to the same task.

    `again` repeats the message of the present round, which surely did not arrive.
    """

    commit: str
    again: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Merge(AttemptAction):
    """Merge the accepted delivery."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry(AttemptAction):
    """End the attempt; the job gets another one."""

    reason: str
    carry: bool = False
    """The next attempt gets the work so far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fail(AttemptAction):
    """End the attempt and give the job up."""

    reason: str

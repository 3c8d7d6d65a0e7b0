"""What may be decided without a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

from jules_job_manager.domain.decision_rules import AnswerRule, MergeRule, PlanRule


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What may be decided without a person. Every bound holds for one attempt unless it says else."""

    concurrency: int = 3
    """Most live attempts at once over all accounts; 0: as many as the accounts allow."""
    reserve: int = 0
    """Tasks of each account's day kept for critical and high jobs."""
    approve: str = "ask"
    """Plans that no rule fits: `ask`, `always` or `policy`."""
    approve_max_steps: int = 12
    approve_refuse_words: tuple[str, ...] = ()
    plan_rules: tuple[PlanRule, ...] = ()
    answer: str = ""
    answer_rules: tuple[AnswerRule, ...] = ()
    max_answers: int = 5
    """Most configured answers to one task."""
    max_feedback_rounds: int = 3
    max_attempts: int = 2
    """Most attempts of one job (of one lane, when several are made side by side)."""
    settle_grace: timedelta = timedelta(seconds=10)
    """How long a create or a message without an answer may still take effect."""
    repair_patience: timedelta = timedelta(minutes=30)
    """How long a task may stay unchanged after feedback before a person is asked."""
    merge_patience: timedelta = timedelta(hours=2)
    """How long a merge may wait for the forge's checks before a person is asked."""
    stall_after: timedelta = timedelta(minutes=15)
    """Silence of the agent after which its task counts as stalled. Source: REST reference, 11."""
    max_nudges: int = 2
    """Most times a stalled task is asked to go on; each next pause is twice as long."""
    nudge_text: str = "Please go on with the task."
    ageing: timedelta = timedelta(days=1)
    """A waiting job counts as one priority higher after each such time; zero: never."""
    overlap: str = "wait"
    """Jobs that touch the same files: `wait` for each other, or are `allow`ed together."""
    dependents: str = "merged"
    """A job starts when what it needs is `merged`, or `stacked` on its delivered branch."""
    merge: str = "always"
    """Accepted deliveries that no rule fits: merged `always`, or a person is asked (`ask`)."""
    merge_rules: tuple[MergeRule, ...] = ()
    merge_batch: int = 8
    """Most deliveries that passed before which are checked again together."""
    unproven: str = "merge"
    """With checklist lines that nothing proves, `merge` what passed, or `ask` a person."""
    zone: tzinfo = UTC
    """Where times in texts for people are told."""

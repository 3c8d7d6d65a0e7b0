"""The decision: what is known in, what to do next out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.orchestration.actions import (
    Action,
    Merge,
    Recur,
    RunReview,
    SetStatus,
)
from jules_job_manager.domain.orchestration.attempts import attempt_actions
from jules_job_manager.domain.orchestration.batches import chosen_together, merge_order
from jules_job_manager.domain.orchestration.lanes import of_all_lanes
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import Snapshot
from jules_job_manager.domain.orchestration.statuses import status
from jules_job_manager.domain.orchestration.waiting import (
    WaitingLine,
    WaitKind,
    waiting_actions,
    waiting_reason,
)


def decide(snapshot: Snapshot, now: datetime, policy: Policy) -> list[Action]:
    """Return what to do next, in order: live attempts first, then new ones.

    Args:
        snapshot: What is known.
        now: The time, aware UTC.
        policy: What may be decided without a person.
    """
    line = WaitingLine(snapshot, now, policy)
    by_key = line.jobs
    live: dict[str, list[Attempt]] = {}
    for attempt in snapshot.attempts:
        if attempt.state.is_live and attempt.job_key in by_key:
            live.setdefault(attempt.job_key, []).append(attempt)
    actions: list[Action] = []
    for key, attempts in live.items():
        actions += _job_actions(snapshot, by_key[key], attempts, now, policy, line)
    actions = _in_merge_order(snapshot, line, actions, policy)
    actions += [
        Recur(job_key=job.key, rule=f"schedule {job.schedule}")
        for job in snapshot.jobs
        if job.schedule and job.status in {JobStatus.DONE, JobStatus.FAILED} and job.key not in live
    ]
    actions = [action for action in actions if not _already(action, by_key)]
    return actions + waiting_actions(line)


def _in_merge_order(
    snapshot: Snapshot, line: WaitingLine, actions: list[Action], policy: Policy
) -> list[Action]:
    """Let one delivery of each base be merged, and those that passed on an earlier base wait.

    Each merge moves the base, so that checking all of them again after each would cost the square
    of their number: they are checked together, fewer at a time when they do not pass. The first
    check of a delivery is not held back: it may find what is wrong.
    """
    by_key = line.jobs
    by_mark = {attempt.mark: attempt for attempt in snapshot.attempts}
    merging = _first_merges(snapshot, by_key, by_mark, actions)
    busy = {_base_of(by_key[by_mark[m].job_key]) for m in snapshot.reviewing if m in by_mark}
    busy |= merging.keys()
    waiting: dict[tuple[str, str], list[Attempt]] = {}
    for action in actions:
        if isinstance(action, RunReview) and action.mark in snapshot.passed_before:
            base = _base_of(by_key[action.job_key])
            if base not in busy:
                waiting.setdefault(base, []).append(by_mark[action.mark])
    together: dict[str, tuple[str, ...]] = {}
    for attempts in waiting.values():
        ordered = merge_order(snapshot, by_key, attempts)
        free = [a for a in ordered if _may_be_merged_next(by_key[a.job_key], line)]
        if free and by_key[free[0].job_key].repository in snapshot.one_by_one:
            free = free[:1]
        chosen = chosen_together(snapshot, free, policy.merge_batch) if free else ordered[:1]
        together[chosen[0].mark] = tuple(attempt.mark for attempt in chosen[1:])
    kept: list[Action] = []
    for action in actions:
        if isinstance(action, RunReview) and action.mark in snapshot.passed_before:
            if action.mark in together:
                kept.append(replace(action, together=together[action.mark]))
        elif not isinstance(action, Merge) or action.mark in (
            *merging.values(),
            *snapshot.merge_waits,
        ):
            kept.append(action)
    return kept


def _may_be_merged_next(job: Job, line: WaitingLine) -> bool:
    """Whether it depends on nothing that waits too, and on no choice between attempts."""
    return job.best_of < 2 and not waiting_reason(job, line.statuses)


def _first_merges(
    snapshot: Snapshot,
    by_key: dict[str, Job],
    by_mark: dict[str, Attempt],
    actions: Sequence[Action],
) -> dict[tuple[str, str], str]:
    """Return, by base, the mark of the one that is merged now: it moves the base for the others.

    One that the forge lets wait is tried again beside it, and holds nobody up.
    """
    ready: dict[tuple[str, str], list[Attempt]] = {}
    for action in actions:
        if isinstance(action, Merge) and action.mark not in snapshot.merge_waits:
            ready.setdefault(_base_of(by_key[action.job_key]), []).append(by_mark[action.mark])
    return {base: merge_order(snapshot, by_key, found)[0].mark for base, found in ready.items()}


def _base_of(job: Job) -> tuple[str, str]:
    return job.repository, job.base_branch


def _job_actions(
    snapshot: Snapshot,
    job: Job,
    attempts: Sequence[Attempt],
    now: datetime,
    policy: Policy,
    line: WaitingLine,
) -> list[Action]:
    wanted = {a.mark: attempt_actions(snapshot, job, a, now, policy) for a in attempts}
    actions: list[Action] = []
    if job.best_of < 2 or job.status.is_final:
        actions = [action for do in wanted.values() for action in do]
    else:
        open_lanes = len(line.missing_lanes(job))
        actions = of_all_lanes(snapshot, job, wanted, open_lanes)
    if any(isinstance(action, Merge) for action in actions):
        waits = waiting_reason(job, line.statuses)
        if waits:  # it was stacked on a branch that is not merged yet
            return [status(job, JobStatus.RUNNING, f"passed its checks; {waits}", "dependencies")]
    return actions


def may_still_move(snapshot: Snapshot, policy: Policy, now: datetime) -> bool:
    """Return whether anything can happen without a person.

    Args:
        snapshot: What is known.
        policy: What may be decided without a person.
        now: The time, aware UTC.
    """
    live = {a.job_key for a in snapshot.attempts if a.state.is_live}
    if any(job.key in live and job.status is not JobStatus.NEEDS_YOU for job in snapshot.jobs):
        return True
    line = WaitingLine(snapshot, now, policy)
    for job in line.candidates():
        wait = line.wait(job)
        if wait is None or (wait.until is not None and wait.kind is not WaitKind.SCHEDULE):
            return True
        if wait.kind is WaitKind.SLOT and _others_at_work(snapshot):
            return True
    return False


def _others_at_work(snapshot: Snapshot) -> bool:
    """Whether tasks that are no attempts of ours take slots: they will end."""
    ours = {a.task_id for a in snapshot.attempts if a.state.is_live}
    own = sum(key in ours and not task.status.is_finished for key, task in snapshot.tasks.items())
    return sum(use.at_work for use in snapshot.accounts.values()) > own


def _already(action: Action, by_key: dict[str, Job]) -> bool:
    if not isinstance(action, SetStatus):
        return False
    job = by_key[action.job_key]
    return (action.status, action.reason) == (job.status, job.reason)

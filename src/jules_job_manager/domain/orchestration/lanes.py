"""Several attempts side by side for one job: the best is kept, the rest let go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.orchestration.actions import (
    Action,
    AskPlan,
    Fail,
    Merge,
    SetStatus,
    Withdraw,
)
from jules_job_manager.domain.orchestration.snapshot import Snapshot
from jules_job_manager.domain.orchestration.statuses import running

_WEIGHT = (JobStatus.RUNNING, JobStatus.REVIEWING, JobStatus.MERGING, JobStatus.NEEDS_YOU)


def of_all_lanes(
    snapshot: Snapshot, job: Job, wanted: Mapping[str, Sequence[Action]], open_lanes: int
) -> list[Action]:
    """Return what to do for a job with several live attempts.

    Args:
        snapshot: What is known.
        job: The job.
        wanted: What each live attempt (by mark) would do on its own.
        open_lanes: How many more attempts are still to be begun.
    """
    attempts = {a.mark: a for a in snapshot.attempts if a.mark in wanted}
    accepted = [attempts[m] for m, do in wanted.items() if any(isinstance(a, Merge) for a in do)]
    failing = [m for m, do in wanted.items() if any(isinstance(a, Fail) for a in do)]
    working = len(wanted) - len(accepted) - len(failing)
    if not accepted and not working and not open_lanes:
        failing = failing[1:]  # nothing is left: the first one's end is that of the job
    actions: list[Action] = []
    for mark, do in wanted.items():
        if mark in failing:
            actions += [_given_up(action) for action in do]
        elif attempts[mark] not in accepted:
            actions += do
    if accepted and not working and not open_lanes:
        best = min(accepted, key=lambda attempt: _score(snapshot, attempt))
        return _one_status([*actions, *wanted[best.mark]])
    if accepted:
        told = f"{len(accepted)} of {job.best_of} attempts passed; waits for the others"
        actions.insert(0, running(job, told))
    return _one_status(actions)


def _given_up(action: Action) -> Action:
    if not isinstance(action, Fail):
        return action
    return Withdraw(
        job_key=action.job_key, mark=action.mark, rule=action.rule, reason=action.reason
    )


def _score(snapshot: Snapshot, attempt: Attempt) -> tuple[int, int, int]:
    """Fewer rounds of feedback are better, then fewer files changed, then the earlier lane."""
    files = snapshot.changed_files.get(attempt.mark, frozenset())
    return (attempt.feedback_rounds, len(files), attempt.lane)


def _one_status(actions: Sequence[Action]) -> list[Action]:
    """Keep only the most pressing status among those the lanes would set."""
    said = [action for action in actions if isinstance(action, SetStatus)]
    if any(isinstance(action, AskPlan) for action in actions):
        chosen = None  # asking says so itself
    else:
        chosen = max(said, key=lambda action: _weight(action.status), default=None)
    kept = [action for action in actions if not isinstance(action, SetStatus)]
    return kept if chosen is None else [chosen, *kept]


def _weight(status: JobStatus) -> int:
    return _WEIGHT.index(status) if status in _WEIGHT else -1

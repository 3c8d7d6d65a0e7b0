"""Best of N: attempts side by side, the best kept, the rest let go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, tzinfo=UTC)
JOB = Job(key="a", prompt="p", status=JobStatus.RUNNING, best_of=2)
FREE = o.Policy(concurrency=0)


def _lane(number, **changes) -> Attempt:
    return replace(
        Attempt(mark=f"m{number}", job_key="a", number=number + 1, state=AttemptState.LIVE,
                task_id=str(number), lane=number, updated_at=NOW), **changes,
    )  # fmt: skip


def _snapshot(*attempts, passed=(), job=JOB, **known) -> o.Snapshot:
    review = {
        f"m{n}": Review(job_key="a", mark=f"m{n}", delivered_commit=f"c{n}", base_commit="b",
                        verdict=Verdict.ACCEPT)
        for n in passed
    }  # fmt: skip
    done, busy = TaskStatus.COMPLETED, TaskStatus.IN_PROGRESS
    return o.Snapshot(
        jobs=(job,), attempts=attempts, reviews=review,
        tasks={a.task_id: JulesTask(id=a.task_id, status=done if a.lane in passed else busy)
               for a in attempts},
        deliveries={f"m{n}": f"c{n}" for n in passed}, bases={f"m{n}": "b" for n in passed}, **known,
    )  # fmt: skip


def _merged(actions) -> list[str]:
    return [action.mark for action in actions if isinstance(action, o.Merge)]


def test_every_lane_gets_one_attempt():
    """Two tasks are begun for one job, with different numbers."""
    ready = replace(JOB, status=JobStatus.READY)
    begun = o.decide(o.Snapshot(jobs=(ready,)), NOW, FREE)
    assert [(0, 1), (1, 2)] == [(a.lane, a.number) for a in begun]


def test_a_lane_that_found_no_room_is_begun_later():
    """With one slot one lane starts, and the other when a slot is free."""
    ready = replace(JOB, status=JobStatus.READY)
    begun = o.decide(o.Snapshot(jobs=(ready,)), NOW, o.Policy(concurrency=1))
    assert [0] == [a.lane for a in begun if isinstance(a, o.Dispatch)]
    later = o.decide(_snapshot(_lane(0)), NOW, FREE)
    assert [1] == [a.lane for a in later if isinstance(a, o.Dispatch)]


def test_the_first_that_passes_waits_for_the_others():
    """Nothing is merged while a lane is at work."""
    actions = o.decide(_snapshot(_lane(0), _lane(1), passed=(0,)), NOW, FREE)
    assert [] == _merged(actions)
    assert "1 of 2 attempts passed; waits for the others" == actions[0].reason


@pytest.mark.parametrize(
    ("rounds", "files", "best"),
    [
        ((1, 0), (1, 5), "m1"),
        ((0, 0), (5, 1), "m1"),
        ((0, 0), (1, 5), "m0"),
        ((0, 0), (2, 2), "m0"),
    ],
)
def test_the_best_has_fewer_rounds_then_fewer_files_then_the_earlier_lane(rounds, files, best):
    """One of those that passed is merged."""
    lanes = [_lane(n, feedback_rounds=count) for n, count in enumerate(rounds)]
    changed = {f"m{n}": frozenset(map(str, range(count))) for n, count in enumerate(files)}
    actions = o.decide(_snapshot(*lanes, passed=(0, 1), changed_files=changed), NOW, FREE)
    assert [best] == _merged(actions)


def test_a_lane_that_is_given_up_does_not_fail_the_job():
    """While another goes on, the failed one is only let go; the last one fails the job."""
    spent = _lane(0, tries=2)
    snapshot = replace(
        _snapshot(spent, _lane(1)),
        tasks={"0": JulesTask(id="0", status=TaskStatus.FAILED),
               "1": JulesTask(id="1", status=TaskStatus.IN_PROGRESS)},
    )  # fmt: skip
    kinds = [type(a) for a in o.decide(snapshot, NOW, FREE) if isinstance(a, o.AttemptAction)]
    assert [o.Withdraw] == kinds
    alone = replace(
        snapshot, attempts=(spent, _lane(1, state=AttemptState.REJECTED)), tasks=snapshot.tasks
    )
    kinds = [type(a) for a in o.decide(alone, NOW, FREE) if isinstance(a, o.AttemptAction)]
    assert [o.Fail] == kinds


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.CANCELLED, JobStatus.FAILED])
def test_when_the_job_is_over_the_rest_is_let_go(status):
    """No lane works on for a job that is over."""
    snapshot = _snapshot(_lane(0), _lane(1), job=replace(JOB, status=status))
    assert [o.Withdraw, o.Withdraw] == [type(a) for a in o.decide(snapshot, NOW, FREE)]


def test_when_every_lane_fails_at_once_so_does_the_job():
    """One end is that of the job; the others are let go. Otherwise nobody would ever say so."""
    tired = [_lane(n, feedback_rounds=3, tries=2) for n in range(2)]
    rejected = {
        f"m{n}": Review(job_key="a", mark=f"m{n}", delivered_commit=f"c{n}", base_commit="b",
                        verdict=Verdict.REJECT)
        for n in range(2)
    }  # fmt: skip
    known = _snapshot(*tired, passed=(0, 1))
    actions = o.decide(replace(known, reviews=rejected), NOW, FREE)
    ends = [a for a in actions if isinstance(a, o.Fail | o.Withdraw)]
    assert [(o.Fail, "m0"), (o.Withdraw, "m1")] == [(type(a), a.mark) for a in ends]

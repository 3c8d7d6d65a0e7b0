"""A silent task is nudged with growing pauses, then replaced, then handed to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.task import JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, tzinfo=UTC)
JOB = Job(key="a", prompt="p", status=JobStatus.RUNNING)
ATTEMPT = Attempt(mark="m", job_key="a", number=1, state=AttemptState.LIVE, task_id="1")


def _minutes(count) -> timedelta:
    return timedelta(minutes=count)


def _decide(silent, attempt=ATTEMPT, *, status=TaskStatus.IN_PROGRESS, policy=o.Policy()):  # noqa: B008
    snapshot = o.Snapshot(
        jobs=(JOB,), attempts=(attempt,), tasks={"1": JulesTask(id="1", status=status)},
        quiet_since={"m": NOW - silent},
    )  # fmt: skip
    return o.decide(snapshot, NOW, policy)


@pytest.mark.parametrize(
    ("silent", "nudges", "nudged_ago", "expected"),
    [
        (14, 0, None, None),
        (15, 0, None, 1),
        (40, 1, 29, None),
        (45, 1, 30, 2),
        (100, 2, 59, None),
        (5, 1, 20, None),
    ],
)
def test_pauses_between_nudges_grow(silent, nudges, nudged_ago, expected):
    """15, 30, then 60 minutes after the last sign of life or nudge, whichever is later."""
    nudged_at = None if nudged_ago is None else NOW - _minutes(nudged_ago)
    attempt = replace(ATTEMPT, nudges=nudges, nudged_at=nudged_at)
    sent = [a.number for a in _decide(_minutes(silent), attempt) if isinstance(a, o.Nudge)]
    assert ([] if expected is None else [expected]) == sent


def test_after_the_last_nudge_it_is_replaced_and_its_work_carried_on():
    """The fresh attempt gets the work so far, and names whose it is."""
    spent = replace(ATTEMPT, nudges=2, nudged_at=NOW - _minutes(60))
    [action] = _decide(_minutes(120), spent)
    assert isinstance(action, o.Retry)
    assert action.carry
    replaced = replace(spent, state=AttemptState.REPLACED)
    ready = replace(JOB, status=JobStatus.READY)
    snapshot = o.Snapshot(jobs=(ready,), attempts=(replaced,))
    [begun] = o.decide(snapshot, NOW, o.Policy())
    assert ("m", 2) == (begun.carry, begun.number)


def test_when_attempts_are_used_up_a_person_is_asked():
    """Nothing goes on for ever by itself."""
    spent = replace(ATTEMPT, nudges=2, nudged_at=NOW - _minutes(60), tries=2)
    [action] = _decide(_minutes(120), spent)
    assert (JobStatus.NEEDS_YOU, True) == (action.status, "jjm get 1" in action.reason)


@pytest.mark.parametrize(
    "status", [TaskStatus.WAITING_APPROVAL, TaskStatus.WAITING_FEEDBACK, TaskStatus.COMPLETED]
)
def test_a_task_that_waits_for_us_is_not_silent(status):
    """Who waits for an answer is not asked to go on."""
    assert not [
        a for a in _decide(_minutes(600), status=status) if isinstance(a, o.Nudge | o.Retry)
    ]


def test_zero_minutes_mean_never():
    """`queue.stall_after_minutes = 0` turns it off."""
    assert not _decide(_minutes(6000), policy=o.Policy(stall_after=timedelta(0)))


@given(st.integers(0, 4), st.integers(1, 3), st.lists(st.integers(0, 300), max_size=40))
def test_messages_to_one_task_are_bounded(max_nudges, max_attempts, steps):
    """However time passes, one attempt is nudged at most `max_nudges` times, each number once."""
    policy = o.Policy(max_nudges=max_nudges, max_attempts=max_attempts)
    now, attempt, sent = NOW, ATTEMPT, []
    for step in steps:
        now += _minutes(step)
        snapshot = o.Snapshot(
            jobs=(JOB,), attempts=(attempt,), quiet_since={"m": NOW},
            tasks={"1": JulesTask(id="1", status=TaskStatus.IN_PROGRESS)},
        )  # fmt: skip
        for action in o.decide(snapshot, now, policy):
            if isinstance(action, o.Nudge):
                sent.append(action.number)
                attempt = replace(attempt, nudges=action.number, nudged_at=now)
    assert list(range(1, len(sent) + 1)) == sent
    assert len(sent) <= max_nudges

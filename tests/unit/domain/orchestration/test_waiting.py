"""Which waiting jobs start, and why the others do not, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobFile, JobStatus, Priority
from jules_job_manager.domain.quota import EDGE, WINDOW, AccountUse, Limits
from jules_job_manager.domain.task import JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FREE = o.Policy(concurrency=0)


def _job(key="a", **members) -> Job:
    return Job(**{"key": key, "prompt": "p", "status": JobStatus.READY, **members})


def _use(used=0, *, per_day=10, at_once=None, name="default", ago=HOUR, **more) -> AccountUse:
    starts = tuple(NOW - ago for _ in range(used))
    return AccountUse(
        name=name, limits=Limits(per_day=per_day, at_once=at_once), starts=starts, **more
    )


def _started(snapshot, policy=FREE) -> list[str]:
    return [a.job_key for a in o.decide(snapshot, NOW, policy) if isinstance(a, o.Dispatch)]


def _live(key, **members) -> Attempt:
    return Attempt(mark=key, job_key=key, number=1, state=AttemptState.LIVE, task_id=key, **members)


RUNNING = _job("r", status=JobStatus.RUNNING, files=(JobFile(path="src/x.py"),))
BESIDE = {
    "attempts": (_live("r"),),
    "tasks": {"r": JulesTask(id="r", status=TaskStatus.IN_PROGRESS)},
}


@pytest.mark.parametrize(
    ("job", "known", "policy", "kind", "reason"),
    [
        (_job(held="by Ann"), {}, FREE, "person", "held: by Ann"),
        (_job(), {"paused": "freeze"}, FREE, "person", "the queue is paused: freeze"),
        (_job(depends_on=("x",)), {}, FREE, "dependency", "waits for x, which is not in the queue"),
        (_job(depends_on=("r",)), BESIDE, FREE, "dependency", "waits for r"),
        (_job(prompt="  "), {}, FREE, "prompt", "has no prompt"),
        (_job(not_before=NOW + HOUR), {}, FREE, "schedule", "starts 13:00"),
        (_job(not_before=NOW + 24 * HOUR), {}, FREE, "schedule", "starts 2026-11-25 12:00"),
        (_job(files=(JobFile(path="./src/x.py"),)), BESIDE, FREE, "files",
         "waits for r, which also touches src/x.py"),
        (_job(), BESIDE, o.Policy(concurrency=1), "slot", "waits for a free slot"),
        (_job(), {"accounts": {"default": _use(10)}}, FREE, "quota", "waits for Jules' quota"),
    ],
)  # fmt: skip
def test_why_a_job_waits(job, known, policy, kind, reason):
    """`explain` names the kind and says it in words, and `decide` starts nothing."""
    snapshot = o.Snapshot(jobs=(RUNNING, job), **known)
    wait, _ = o.explain(snapshot, job, NOW, policy)
    assert (kind, reason) == (wait.kind.value, wait.reason)
    assert [] == _started(snapshot, policy)


@pytest.mark.parametrize(
    ("job", "policy"),
    [
        (_job(files=(JobFile(path="src/y.py"),)), FREE),
        (_job(files=(JobFile(path="src/x.py"),), shares_files=True), FREE),
        (_job(files=(JobFile(path="src/x.py"),)), o.Policy(concurrency=0, overlap="allow")),
        (_job(files=(JobFile(path="src/x.py"),), repository="o/other"), FREE),
        (_job(not_before=NOW), FREE),
    ],
)
def test_what_does_not_hold_a_job_back(job, policy):
    """Other files, sharing allowed, another repository, a time that has come."""
    assert ["a"] == _started(o.Snapshot(jobs=(RUNNING, job), **BESIDE), policy)


def test_jobs_chosen_together_do_not_share_files_either():
    """Of two that touch one file the first starts."""
    both = tuple(_job(key, files=(JobFile(path="x"),)) for key in "ab")
    assert ["a"] == _started(o.Snapshot(jobs=both))


def test_files_an_attempt_was_seen_to_change_count():
    """Not only what the document declares."""
    job = _job(files=(JobFile(path="seen.py"),))
    snapshot = o.Snapshot(
        jobs=(RUNNING, job), changed_files={"r": frozenset({"seen.py"})}, **BESIDE
    )
    assert [] == _started(snapshot)


def test_a_merge_that_is_not_in_the_own_base_is_waited_for():
    """Done is not enough: the starting branch must hold the merge."""
    done = _job("d", status=JobStatus.DONE)
    job = _job(depends_on=("d",), base_branch="dev")
    snapshot = o.Snapshot(jobs=(done, job), unlanded={"a": ("d",)})
    wait, _ = o.explain(snapshot, job, NOW, FREE)
    assert "waits until dev holds the merge of d" == wait.reason
    assert ["a"] == _started(replace(snapshot, unlanded={}))


STACKED = o.Policy(concurrency=0, dependents="stacked")


def test_stacked_dependents_start_on_the_delivered_branch():
    """With `queue.dependents = stacked` a delivered branch is enough, but only one can be one."""
    job = _job(depends_on=("r",))
    snapshot = o.Snapshot(jobs=(RUNNING, job), branches={"r": "jules/r"}, **BESIDE)
    [begun] = [a for a in o.decide(snapshot, NOW, STACKED) if isinstance(a, o.Dispatch)]
    assert "jules/r" == begun.start_branch
    assert [] == _started(snapshot)
    two = replace(snapshot, jobs=(RUNNING, _job(depends_on=("r", "s")), _job("s", held="x")),
                  branches={"r": "jules/r", "s": "jules/s"})  # fmt: skip
    assert [] == _started(two, STACKED)


def test_the_reserve_is_for_critical_and_high_jobs():
    """The last tasks of a day are not spent on what can wait."""
    jobs = (_job("low", priority=Priority.LOW), _job("high", priority=Priority.HIGH))
    snapshot = o.Snapshot(jobs=jobs, accounts={"default": _use(8)})
    assert ["high", "low"] == _started(snapshot)
    assert ["high"] == _started(snapshot, o.Policy(concurrency=0, reserve=2))


def test_an_aged_job_may_use_the_reserve():
    """Nothing starves: after two days a low job counts as high."""
    old = _job(priority=Priority.LOW, queued_at=NOW - timedelta(days=2))
    snapshot = o.Snapshot(jobs=(old,), accounts={"default": _use(8)})
    reserve = o.Policy(concurrency=0, reserve=2)
    assert ["a"] == _started(snapshot, reserve)
    assert [] == _started(snapshot, replace(reserve, ageing=timedelta(0)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (_job("z", pinned=True, priority=Priority.LOW), _job("a", priority=Priority.CRITICAL)),
        (_job("z", priority=Priority.HIGH), _job("a")),
        (_job("z", priority=Priority.LOW, queued_at=NOW - timedelta(days=3)),
         _job("a", queued_at=NOW)),
        (_job("z", placed_rank=0), _job("a", priority=Priority.HIGH)),
        (_job("z", place=0.0, queued_at=NOW), _job("a", queued_at=NOW - HOUR)),
        (_job("z", queued_at=NOW - HOUR), _job("a", queued_at=NOW)),
    ],
)  # fmt: skip
def test_the_order_of_two_jobs(first, second):
    """Pinned, then priority with ageing, then a person's order, then age."""
    snapshot = o.Snapshot(jobs=(second, first))
    assert ["z"] == _started(snapshot, o.Policy(concurrency=1))
    wait, ahead = o.explain(snapshot, second, NOW, o.Policy(concurrency=1))
    assert ("slot", 1) == (wait.kind.value, ahead)


def test_the_next_slot_is_told_to_the_first_in_line_and_is_right():
    """It is when the oldest task leaves the window, and at that moment the job does start."""
    full = {"default": _use(10, ago=23 * HOUR)}
    snapshot = o.Snapshot(jobs=(_job("a"), _job("b")), accounts=full)
    said = [a.reason for a in o.decide(snapshot, NOW, FREE)]
    assert ["waits for Jules' quota; next slot 13:01", "waits for Jules' quota"] == said
    wait, _ = o.explain(snapshot, snapshot.jobs[0], NOW, FREE)
    assert NOW + HOUR + EDGE == wait.until == NOW - 23 * HOUR + WINDOW + EDGE
    then = [a for a in o.decide(snapshot, wait.until, FREE) if isinstance(a, o.Dispatch)]
    assert ["a", "b"] == [a.job_key for a in then]


def test_the_account_with_the_most_room_is_taken_and_a_refused_one_is_not():
    """Several accounts are pools of their own."""
    accounts = {"default": _use(9), "work": _use(2, name="work")}
    snapshot = o.Snapshot(jobs=(_job(),), accounts=accounts)
    [begun] = o.decide(snapshot, NOW, FREE)
    assert "work" == begun.account
    refused = {**accounts, "work": _use(2, name="work", refused_until=NOW + HOUR)}
    [begun] = o.decide(replace(snapshot, accounts=refused), NOW, FREE)
    assert "default" == begun.account


def test_tasks_made_elsewhere_take_slots():
    """What Jules shows at work counts, whoever made it."""
    snapshot = o.Snapshot(jobs=(_job(),), accounts={"default": _use(at_once=3, at_work=3)})
    assert [] == _started(snapshot)


def test_one_failure_holds_back_only_its_descendants():
    """And the words say what failed."""
    jobs = (_job("f", status=JobStatus.FAILED), _job("child", depends_on=("f",)),
            _job("grandchild", depends_on=("child",)), _job("other"))  # fmt: skip
    snapshot = o.Snapshot(jobs=jobs)
    assert ["other"] == _started(snapshot)
    wait, _ = o.explain(snapshot, jobs[1], NOW, FREE)
    assert "waits for f, which failed" == wait.reason


def test_what_depends_on_a_skipped_job_goes_on():
    """A person took it out knowingly; one that was cancelled holds its dependents."""
    gone = _job("g", status=JobStatus.CANCELLED, skipped=True)
    job = _job(depends_on=("g",))
    assert ["a"] == _started(o.Snapshot(jobs=(gone, job)))
    assert [] == _started(o.Snapshot(jobs=(replace(gone, skipped=False), job)))


def test_a_finished_recurring_job_comes_again_once_its_attempts_are_ended():
    """Also after a failure, but not after a person cancelled it."""
    for status, comes in ((JobStatus.DONE, True), (JobStatus.FAILED, True),
                          (JobStatus.CANCELLED, False)):  # fmt: skip
        snapshot = o.Snapshot(jobs=(_job(schedule="0 3 * * *", status=status),))
        assert comes == any(isinstance(a, o.Recur) for a in o.decide(snapshot, NOW, FREE))
    busy = o.Snapshot(jobs=(_job("r", schedule="0 3 * * *", status=JobStatus.DONE),), **BESIDE)
    assert [o.Withdraw] == [type(a) for a in o.decide(busy, NOW, FREE)]


def test_attempts_of_an_earlier_occurrence_do_not_count():
    """A job that comes again starts afresh, with the next number."""
    before = replace(_live("a", occurrence=1), state=AttemptState.ACCEPTED)
    snapshot = o.Snapshot(jobs=(_job(occurrence=2),), attempts=(before,))
    [begun] = o.decide(snapshot, NOW, FREE)
    assert 2 == begun.number

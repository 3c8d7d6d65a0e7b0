"""How many reviews are asked for when many deliveries wait for one base."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEYS = "abc"
MARKS = frozenset(KEYS)
JOBS = tuple(
    Job(key=key, prompt="p", status=JobStatus.REVIEWING, repository="o/n", base_branch="main")
    for key in KEYS
)
KNOWN = o.Snapshot(
    jobs=JOBS,
    attempts=tuple(
        Attempt(mark=k, job_key=k, number=1, state=AttemptState.LIVE, task_id=k, updated_at=NOW)
        for k in KEYS
    ),
    tasks={key: JulesTask(id=key, status=TaskStatus.COMPLETED) for key in KEYS},
    deliveries=dict.fromkeys(KEYS, "commit"),
    bases=dict.fromkeys(KEYS, "base"),
)


def _asked(snapshot: o.Snapshot) -> list[str]:
    actions = o.decide(snapshot, NOW, o.Policy(concurrency=0))
    return [action.mark for action in actions if isinstance(action, o.RunReview)]


def test_the_first_check_of_a_delivery_is_not_held_back():
    """It may find what is wrong, whatever the base becomes."""
    assert ["a", "b", "c"] == _asked(KNOWN)
    assert ["b", "c"] == _asked(
        replace(KNOWN, passed_before=frozenset("a"), reviewing=frozenset("a"))
    )


def test_what_passed_before_is_checked_again_one_at_a_time():
    """Each merge moves the base: all at once would cost the square of their number."""
    again = replace(KNOWN, passed_before=MARKS)
    assert ["a"] == _asked(again)
    assert [] == _asked(replace(again, reviewing=frozenset("a")))


def test_another_base_is_another_line():
    """Deliveries for other branches or repositories do not wait."""
    jobs = (JOBS[0], replace(JOBS[1], base_branch="next"), replace(JOBS[2], repository="o/other"))
    assert ["a", "b", "c"] == _asked(replace(KNOWN, jobs=jobs, passed_before=MARKS))


ACCEPTED = Review(
    job_key="a", mark="a", delivered_commit="commit", base_commit="base", verdict=Verdict.ACCEPT
)


def test_a_merge_that_waits_is_told_and_goes_on_being_tried():
    """The job says what for; after a time a person is asked, and it is tried all the same."""
    wait = o.MergeWait(reason="build has not begun", since=NOW)
    waiting = replace(KNOWN, reviews={"a": ACCEPTED}, merge_waits={"a": wait})

    def told(after: timedelta) -> list[o.Action]:
        policy = o.Policy(concurrency=0, merge_patience=timedelta(hours=1))
        return [act for act in o.decide(waiting, NOW + after, policy) if act.job_key == "a"]

    said, merge = told(timedelta(minutes=1))
    assert isinstance(merge, o.Merge)
    assert (JobStatus.MERGING, "waits: build has not begun") == (said.status, said.reason)
    said, merge = told(timedelta(hours=2))
    assert isinstance(merge, o.Merge)
    assert JobStatus.NEEDS_YOU is said.status
    assert "build has not begun" in said.reason


def test_a_merge_that_waits_holds_back_no_review():
    """Only a merge that is about to move the base does."""
    again = replace(KNOWN, reviews={"a": ACCEPTED}, passed_before=frozenset("b"))
    assert ["c"] == _asked(again)
    wait = o.MergeWait(reason="build", since=NOW)
    assert ["b", "c"] == _asked(replace(again, merge_waits={"a": wait}))

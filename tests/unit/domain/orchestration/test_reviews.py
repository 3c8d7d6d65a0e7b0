"""How many reviews are asked for when many deliveries wait for one base."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus, Priority
from jules_job_manager.domain.orchestration.batches import batch_id
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


def _together(snapshot: o.Snapshot, **policy) -> list[str]:
    actions = o.decide(snapshot, NOW, o.Policy(concurrency=0, **policy))
    return ["".join([a.mark, *a.together]) for a in actions if isinstance(a, o.RunReview)]


AGAIN = replace(
    KNOWN, passed_before=MARKS, deliveries={key: f"commit-{key}" for key in KEYS}
)  # fmt: skip


def test_what_passed_before_is_checked_again_together():
    """Each merge moves the base: one after the other would cost a run of the suite each."""
    assert ["abc"] == _together(AGAIN)
    assert [] == _together(replace(AGAIN, reviewing=frozenset("a")))
    assert ["ab"] == _together(AGAIN, merge_batch=2)
    assert ["a"] == _together(AGAIN, merge_batch=1)


def test_where_another_commit_is_merged_they_go_one_by_one():
    """Pull requests: what comes next would be judged on a base that never is."""
    assert ["a"] == _together(replace(AGAIN, one_by_one=frozenset({"o/n"})))


def test_fewer_at_a_time_when_they_do_not_pass_together():
    """Down to one, which is then judged by itself."""
    failed = {batch_id("base", ["commit-a", "commit-b", "commit-c"])}
    assert ["ab"] == _together(replace(AGAIN, failed_batches=frozenset(failed)))
    failed.add(batch_id("base", ["commit-a", "commit-b"]))
    assert ["a"] == _together(replace(AGAIN, failed_batches=frozenset(failed)))
    elsewhere = frozenset({batch_id("other", ["commit-a", "commit-b", "commit-c"])})
    assert ["abc"] == _together(replace(AGAIN, failed_batches=elsewhere))


def test_those_that_touch_nobodys_files_go_first():
    """Then priority, then age."""
    files = {"a": frozenset({"x", "y"}), "b": frozenset({"x"}), "c": frozenset({"z"})}
    assert ["cab"] == _together(replace(AGAIN, changed_files=files))
    jobs = (JOBS[0], JOBS[1], replace(JOBS[2], priority=Priority.CRITICAL))
    assert ["cab"] == _together(replace(AGAIN, jobs=jobs))
    older = (JOBS[0], replace(JOBS[1], queued_at=NOW - timedelta(days=1)), JOBS[2])
    newer = tuple(replace(job, queued_at=job.queued_at or NOW) for job in older)
    assert ["bac"] == _together(replace(AGAIN, jobs=newer))


def test_what_waits_for_another_or_is_one_of_several_is_not_checked_with_others():
    """A job stacked on a branch, and one of which the best attempt is still to be chosen."""
    jobs = (JOBS[0], replace(JOBS[1], depends_on=("a",)), JOBS[2])
    assert ["ac"] == _together(replace(AGAIN, jobs=jobs), dependents="stacked")


def test_one_merge_of_a_base_at_a_time():
    """It moves the base, so that the others are checked again before they are merged."""
    reviews = {
        key: Review(job_key=key, mark=key, delivered_commit=f"commit-{key}", base_commit="base",
                    verdict=Verdict.ACCEPT)
        for key in KEYS
    }  # fmt: skip
    files = {"a": frozenset("x"), "b": frozenset("x"), "c": frozenset("z")}
    ready = replace(AGAIN, reviews=reviews, changed_files=files)
    actions = o.decide(ready, NOW, o.Policy(concurrency=0))
    assert ["c"] == [action.mark for action in actions if isinstance(action, o.Merge)]


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

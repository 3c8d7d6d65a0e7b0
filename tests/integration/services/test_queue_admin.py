"""What a person does to the order and the pace of the queue, on a real store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.clocks import FakeClock

from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus, Priority
from jules_job_manager.domain.queue_order import in_order
from jules_job_manager.errors import InvalidInputError, OperationFailedError
from jules_job_manager.ports.review_queue import ReviewRun
from jules_job_manager.services.queue_admin import QueueAdmin
from jules_job_manager.services.queue_look import PAUSED_NOTE
from jules_job_manager.services.queue_summary import queue_pace

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
START = datetime(2026, 11, 24, tzinfo=UTC)


def _job(key, **members) -> Job:
    return Job(**{"key": key, "title": "t", "prompt": "p", "status": JobStatus.READY,
                  "queued_at": START, **members})  # fmt: skip


@pytest.fixture
def clock():
    return FakeClock(START)


@pytest.fixture
def admin(store, clock):
    return QueueAdmin(store=store, clock=clock, ageing=DAY, actor="me")


async def _order(store, clock) -> list[str]:
    return [job.key for job in in_order(await store.jobs.list_jobs(), clock.now(), DAY)]


@pytest.mark.parametrize(
    ("to", "other", "expected"),
    [
        ("top", None, ["c", "a", "b", "d"]),
        ("bottom", None, ["a", "b", "d", "c"]),
        ("before", "b", ["a", "c", "b", "d"]),
        ("after", "d", ["a", "b", "d", "c"]),
    ],
)
async def test_a_moved_job_has_the_place_that_was_said(store, clock, admin, to, other, expected):
    """Across priorities, and the answer is the order that then stands."""
    jobs = {
        "a": _job("a", priority=Priority.CRITICAL), "b": _job("b", priority=Priority.HIGH),
        "c": _job("c"), "d": _job("d", priority=Priority.LOW),
    }  # fmt: skip
    await store.jobs.save_jobs(list(jobs.values()))
    assert expected == (await admin.move(jobs["c"], to=to, other=jobs.get(other or ""))).keys
    assert expected == await _order(store, clock)
    clock.advance(5 * 86400)
    (event,) = await store.events.read(subject="job:c")
    assert ("moved", "me") == (event.data["what"], event.actor)


async def test_what_has_no_place_is_not_moved(store, admin):
    """Neither what is over, nor beside it, nor beside itself."""
    waits, over = _job("a"), _job("b", status=JobStatus.FAILED)
    await store.jobs.save_jobs([waits, over])
    with pytest.raises(InvalidInputError, match="b is failed; only jobs that wait") as caught:
        await admin.move(over, to="top")
    assert "Bring it back with: jjm queue retry 'b'" == caught.value.hint
    with pytest.raises(InvalidInputError, match="b is failed"):
        await admin.move(waits, to="before", other=over)
    with pytest.raises(InvalidInputError, match="another job"):
        await admin.move(waits, to="after", other=waits)


async def test_hold_and_release(store, admin):
    """An empty reason is refused: it would let a held job go."""
    job = _job("a")
    await store.jobs.save_jobs([job])
    held = await admin.hold(job, "  after the release ")
    assert "after the release" == (await store.jobs.get_job("a")).held
    with pytest.raises(InvalidInputError, match="reason is empty"):
        await admin.hold(held, " ")
    assert "after the release" == (await store.jobs.get_job("a")).held
    free = await admin.release(held)
    assert "" == free.held
    with pytest.raises(InvalidInputError, match="not held"):
        await admin.release(free)


async def test_a_change_never_overwrites_another(store, admin):
    """Who saw an older job is told so, and nothing is written."""
    job = _job("a")
    await store.jobs.save_jobs([replace(job, status=JobStatus.RUNNING)])
    with pytest.raises(OperationFailedError, match="changed meanwhile"):
        await admin.pin(job, pinned=True)
    assert not (await store.jobs.get_job("a")).pinned


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_what_is_over_is_not_changed(store, admin, status):
    """Not held, pinned, cancelled or given another time."""
    job = _job("a", status=status)
    await store.jobs.save_jobs([job])
    for change in (
        admin.hold(job, "x"), admin.pin(job, pinned=True), admin.cancel(job),
        admin.plan(job, not_before=START + DAY),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError, match=f"a is {status.value}"):
            await change
    assert [] == await store.events.read(subject="job:a")


async def test_skip_is_for_jobs_without_a_task(store, admin):
    """And doing it twice is one event."""
    job, busy = _job("a"), _job("b", status=JobStatus.RUNNING)
    await store.jobs.save_jobs([job, busy])
    gone = await admin.skip(job)
    assert (JobStatus.CANCELLED, True) == (gone.status, gone.skipped)
    assert gone == await admin.skip(gone)
    assert 1 == len(await store.events.read(subject="job:a"))
    with pytest.raises(InvalidInputError, match="only jobs without a task"):
        await admin.skip(busy)


async def test_cancel_ends_attempts_and_takes_reviews_out_of_the_line(store, admin):
    """What is known is ended at once; a task that is being created is left to who runs the queue."""
    job = _job("a", status=JobStatus.REVIEWING)
    live = Attempt(mark="m", job_key="a", number=1, state=AttemptState.LIVE, task_id="7")
    intended = Attempt(mark="n", job_key="a", number=2, lane=1)
    await store.jobs.save_jobs([job])
    for attempt in (live, intended):
        await store.jobs.save_attempt(attempt)
    run = ReviewRun(job_key="a", mark="m", delivered_commit="c", branch="x", base_commit="b")
    await store.review_queue.enqueue(run)
    gone, known = await admin.cancel(job)
    assert (JobStatus.CANCELLED, ["7"]) == (gone.status, [a.task_id for a in known])
    states = {a.mark: a.state for a in await store.jobs.list_attempts("a")}
    assert {"m": AttemptState.ABANDONED, "n": AttemptState.INTENDED} == states
    assert [] == list(await store.review_queue.active())


async def test_times_and_schedules(store, admin):
    """A schedule sets the next time, ending it takes that away, and bounds are kept."""
    job = _job("a")
    await store.jobs.save_jobs([job])
    weekly = await admin.plan(job, schedule="0 3 * * 1")
    assert datetime(2026, 11, 30, 3, tzinfo=UTC) == weekly.not_before
    once = await admin.plan(weekly, schedule="")
    assert ("", None) == (once.schedule, once.not_before)
    for wrong in ("61 * * * *", "* * *", "0 0 30 2 *", "x"):
        with pytest.raises(InvalidInputError, match="is not a schedule"):
            await admin.plan(once, schedule=wrong)
    for count in (0, 11):
        with pytest.raises(InvalidInputError, match="1 to 10"):
            await admin.plan(once, best_of=count)
    with pytest.raises(InvalidInputError, match="it has begun"):
        await admin.plan(replace(job, status=JobStatus.RUNNING), best_of=2)


async def test_pause_and_resume(store, admin):
    """A note that every worker reads, and an event each time."""
    await admin.pause("freeze")
    assert "freeze" == await store.get_note(PAUSED_NOTE)
    assert await admin.resume()
    assert not await admin.resume()
    events = await store.events.read(subject="queue")
    assert ["paused", "resumed"] == [event.data["what"] for event in events]


async def test_without_a_reason_whoever_did_it_is_named(store, clock, admin):
    """Everybody else reads it, too."""
    job = _job("a")
    await store.jobs.save_jobs([job])
    assert "by me" == (await admin.hold(job)).held
    assert "by me" == await admin.pause()
    pace = await queue_pace(store, clock.now())
    assert ("by me", "me", "") == (pace["paused"], pace["paused_by"], pace["leader"])
    with pytest.raises(InvalidInputError, match="reason is empty"):
        await admin.pause(" ")

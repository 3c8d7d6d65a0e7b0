"""A worker's way with one review: run, lost to another, stopped, not to be run."""

from __future__ import annotations

import asyncio

import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, verdict_of
from jules_job_manager.errors import ConfigurationError, ForgeError
from jules_job_manager.ports.review_queue import ReviewRun
from jules_job_manager.services.review_worker import MOST_TRIES, ReviewWorker

pytestmark = pytest.mark.integration
JOB = Job(key="Task 1", status=JobStatus.REVIEWING, repository="o/r", base_branch="main")
ATTEMPT = Attempt(mark="m", job_key="Task 1", number=1, task_id="7", state=AttemptState.LIVE)
RUN = ReviewRun(job_key="Task 1", mark="m", delivered_commit="d", branch="b", base_commit="c")


class FakeReviewer:
    """Judges as a test says, once it may."""

    pull_requests = None

    def __init__(self, *checks: CheckResult, failure: Exception | None = None) -> None:
        self.checks, self.failure = checks, failure
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    def begin_look(self) -> None:
        """Nothing is remembered."""

    async def review(self, job, attempt, delivery, tell=lambda result: None):
        self.begun.set()
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        for result in self.checks:
            tell(result)
        return Review(
            job_key=job.key, mark=attempt.mark, delivered_commit=delivery.commit, base_commit="c",
            verdict=verdict_of(self.checks), checks=self.checks,
        )  # fmt: skip


class Desk:
    """A worker on a store with one review in line."""

    def __init__(self, store, reviewer) -> None:
        self.store, self.reviewer = store, reviewer
        self.said: list[str] = []
        self.woken = 0
        self.worker = ReviewWorker(
            store=store, reviewer=reviewer, clock=ImpatientClock(), owner="w",
            report=lambda told: self.said.append(told.text), wake=self._wake,
        )  # fmt: skip

    def _wake(self) -> None:
        self.woken += 1

    async def states(self) -> list[str]:
        return [run.state for run in await self.store.review_queue.active()]


@pytest.fixture
async def line(store):
    await store.jobs.save_jobs([JOB])
    await store.jobs.save_attempt(ATTEMPT)
    await store.review_queue.enqueue(RUN)
    return store


def check(name, word, *, required=True):
    return CheckResult(
        name=name, conclusion=Conclusion(word), is_required=required, command=f"make {name}"
    )


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ((check("a", "success"),), "every check passed"),
        ((check("a", "failure"), check("b", "timed_out"), check("c", "failure", required=False)),
         "rejected: a, b"),
        ((check("a", "action_required"),), "a person must judge it"),
        ((check("a", "success"), check("c", "failure", required=False)),
         "every required check passed; worth a look: c"),
    ],
)  # fmt: skip
async def test_a_result_is_kept_and_told(line, checks, said):
    """The run is gone from the line, and whoever decides is woken."""
    desk = Desk(line, FakeReviewer(*checks))
    assert await desk.worker.run_one()
    assert ([said], [], 1) == (desk.said[-1:], await desk.states(), desk.woken)
    early = {"a": "a failed after 0.0 s", "b": "b ran out of time after 0.0 s"}
    assert [early[c.name] for c in checks if c.is_failed] == desk.said[:-1]
    (review,) = await line.jobs.list_reviews("Task 1")
    assert len(checks) == len(review.checks)
    assert not await desk.worker.run_one()


class FakeRequests:
    """A code host that shows reports, or fails to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.shown: list[str] = []

    async def report(self, job, delivery, markdown):
        if self.failure is not None:
            raise self.failure
        self.shown.append(f"{job.key} {delivery.branch} {markdown}")


async def test_the_report_is_shown_on_the_pull_request(line):
    """Once the review is kept."""
    desk = Desk(line, FakeReviewer(check("a", "success")))
    requests = desk.reviewer.pull_requests = FakeRequests()
    await desk.worker.run_one()
    (shown,) = requests.shown
    assert shown.startswith("Task 1 b ## ")


async def test_a_report_that_is_not_taken_is_told(line):
    """The review counts all the same."""
    desk = Desk(line, FakeReviewer(check("a", "success")))
    desk.reviewer.pull_requests = FakeRequests(ForgeError("no"))
    assert await desk.worker.run_one()
    assert ["every check passed", "its report is not on the pull request: no"] == desk.said
    assert 1 == len(await line.jobs.list_reviews("Task 1"))


async def test_a_review_that_another_took_is_stopped(line):
    """Nothing of it is kept, and the worker goes on with others."""
    desk = Desk(line, FakeReviewer(check("a", "success")))
    desk.reviewer.may_end.clear()
    running = asyncio.ensure_future(desk.worker.run_one())
    await desk.reviewer.begun.wait()
    await line.review_queue.remove(["m"])
    assert await running
    assert ([], [], 0) == (desk.said, list(await line.jobs.list_reviews("Task 1")), desk.woken)


async def test_a_worker_that_is_stopped_gives_its_review_back(line):
    """As if it had not begun."""
    desk = Desk(line, FakeReviewer(check("a", "success")))
    desk.reviewer.may_end.clear()
    running = asyncio.ensure_future(desk.worker.run_one())
    await desk.reviewer.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (run,) = await line.review_queue.active()
    assert ("queued", 0, "") == (run.state, run.tries, run.error)


async def test_what_cannot_be_run_is_tried_again_a_bounded_number_of_times(line):
    """With growing pauses; in the end it is left to a person."""
    desk = Desk(line, FakeReviewer(failure=ForgeError("git is away")))
    for _ in range(MOST_TRIES):
        (run,) = await line.review_queue.active()
        assert "queued" == run.state
        claimed = await line.review_queue.claim("w", seconds=60, run_id=run.id)
        if claimed is None:  # it is not due before its pause is over: begin it all the same
            await _make_due(line)
        else:
            await line.review_queue.put_back(claimed, seconds=0, error="", failed=False)
        assert await desk.worker.run_one()
    (run,) = await line.review_queue.active()
    assert ("failed", "git is away") == (run.state, run.error)
    assert ["could not be checked: git is away"] * MOST_TRIES == desk.said


async def _make_due(store) -> None:
    import sqlalchemy as sa

    from jules_job_manager.adapters.storage.paging import EPOCH
    from jules_job_manager.adapters.storage.sql import schema

    async with store.engine.begin() as connection:
        await connection.execute(sa.update(schema.review_runs).values(due=EPOCH))


async def test_what_is_configured_wrongly_is_not_tried_again(line):
    """Another try would end in the same way."""
    desk = Desk(line, FakeReviewer(failure=ConfigurationError(".jjm.toml: no")))
    assert await desk.worker.run_one()
    assert ["failed"] == await desk.states()


async def test_the_review_of_an_attempt_that_ended_is_dropped(line):
    """Its job was cancelled, say."""
    from dataclasses import replace

    await line.jobs.save_attempt(replace(ATTEMPT, state=AttemptState.ABANDONED))
    desk = Desk(line, FakeReviewer())
    assert await desk.worker.run_one()
    assert ([], []) == (desk.said, await desk.states())
    assert not desk.reviewer.begun.is_set()

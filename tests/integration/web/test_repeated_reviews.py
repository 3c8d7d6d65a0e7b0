"""Reviews that are asked for again over the API: one at a time, told as an event, known to be lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.errors import ForgeError, InvalidInputError
from jules_job_manager.services.repeated_reviews import RepeatedReviews

pytestmark = pytest.mark.integration
JOB = Job(key="J-1", prompt="p", status=JobStatus.RUNNING, repository="o/r", base_branch="main")
REVIEW = Review(
    job_key="J-1", mark="m", delivered_commit="a" * 40, base_commit="b" * 40,
    verdict=Verdict.ACCEPT, at=datetime(2026, 11, 27, tzinfo=UTC),
)  # fmt: skip
LOST = {"state": "lost", "review": None, "error": None}


@pytest.fixture
async def job(service):
    """Put a job with a review of a delivery into the store; its repository does not exist."""
    jobs = service.app.store.jobs
    await jobs.save_jobs([JOB])
    await jobs.save_attempt(Attempt(mark="m", job_key="J-1", number=1))
    await jobs.save_review(REVIEW)
    return JOB


async def _until_over(client, begun):
    async with asyncio.timeout(60):
        while True:
            answer = await client.get(f"/api/v1/jobs/J-1/review/{begun}")
            if answer.json()["state"] != "running":
                return answer.json()
            await asyncio.sleep(0.02)


async def test_what_cannot_be_run_says_why(client, job):
    """The request is answered at once; the look after it has the error, as the service raised it."""
    answer = await client.post(f"/api/v1/jobs/{job.key}/review")
    assert 202 == answer.status_code
    assert "no check commands" in answer.json()["warnings"][0]
    found = await _until_over(client, answer.json()["id"])
    assert "failed" == found["state"]
    assert ForgeError.code == found["error"]["code"]
    assert found["review"] is None


async def test_refused_at_once(client, service):
    """A job without a review, one that is not there, and what is no id."""
    await service.app.store.jobs.save_jobs([JOB])
    answer = await client.post("/api/v1/jobs/J-1/review")
    assert (400, "No delivery of J-1 was reviewed yet.") == (
        answer.status_code, answer.json()["detail"],
    )  # fmt: skip
    assert 404 == (await client.post("/api/v1/jobs/J-2/review")).status_code
    assert 400 == (await client.get("/api/v1/jobs/J-1/review/mine")).status_code
    answer = await client.get(f"/api/v1/jobs/J-1/review/0-{'0' * 32}")
    assert answer.json() == LOST


async def test_one_at_a_time_for_a_job(service, job):
    """Whoever asks while one runs gets that one; another process sees it too, and its result."""
    app = service.app
    go = asyncio.Event()

    async def work():
        await go.wait()
        return REVIEW

    def reviews():
        return RepeatedReviews(store=app.store, clock=app.clock, at_once=1)

    mine, other = reviews(), reviews()
    begun = await mine.begin(job, work, actor="ann")
    assert begun == await mine.begin(job, work, actor="bob")
    assert begun == await other.begin(job, work, actor="bob")
    assert "running" == (await other.look("J-1", begun)).state
    go.set()
    async with asyncio.timeout(60):
        while (found := await other.look("J-1", begun)).state == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # what is waited for is a row
    assert REVIEW == found.review
    (event,) = await app.store.events.read(type="review_repeated")
    assert ("ann", "job:J-1") == (event.actor, event.subject)
    assert [REVIEW] == list(await app.store.jobs.list_reviews("J-1"))
    assert begun != await mine.begin(job, work, actor="ann")
    await mine.aclose()


async def test_one_whose_program_ended_is_lost(service, job):
    """Stopping the service ends the review; whoever asked hears so, and may ask again."""
    app = service.app
    never = asyncio.Event()

    async def work():
        await never.wait()
        return REVIEW

    reviews = RepeatedReviews(store=app.store, clock=app.clock, at_once=1)
    begun = await reviews.begin(job, work, actor="ann")
    await reviews.aclose()
    assert "lost" == (await reviews.look("J-1", begun)).state
    with pytest.raises(InvalidInputError):
        await reviews.look("J-1", "no id")
    again = await reviews.begin(job, work, actor="ann")
    assert again != begun
    await reviews.aclose()

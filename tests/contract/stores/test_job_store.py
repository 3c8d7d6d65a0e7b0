"""The contract of every store that keeps jobs, and the refusal of the one that does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.domain.graph import ready_keys
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus, Priority
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.domain.text import storable_text
from jules_job_manager.errors import StoreError, UnsupportedOperationError
from jules_job_manager.ports.job_store import JobQuery

from .conftest import KEEPS_JOBS

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def _some_jobs():
    keys = ["a", "A", "b\0", "é", "\ud800", "z"]
    return st.lists(
        st.builds(
            Job, key=st.sampled_from(keys), title=st.just("t"), prompt=st.sampled_from(["", "p", '""']),
            status=st.sampled_from(JobStatus), priority=st.sampled_from(Priority),
            depends_on=st.lists(st.sampled_from([*keys, "gone"]), max_size=3).map(tuple),
            backlog=st.sampled_from(["/a.md", "/b.md"]), position=st.integers(0, 3), skipped=st.booleans(),
        ),
        max_size=6, unique_by=lambda job: storable_text(job.key),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KEEPS_JOBS)
async def test_how_all_jobs_stand(kind, make_arguments):
    """Counts, keys and what could start, as the jobs themselves would tell it."""
    store = await open_store(**await make_arguments(kind))
    given_jobs: list[list[Job]] = []

    @given(_some_jobs())
    @settings(max_examples=40, database=None)
    def collect(jobs):
        given_jobs.append(jobs)

    collect()
    chosen = {JobStatus.NEEDS_YOU, JobStatus.FAILED}
    try:
        for jobs in given_jobs:
            await store.jobs.delete_jobs([job.key for job in await store.jobs.list_jobs()])
            await store.jobs.save_jobs(jobs)
            kept = await store.jobs.list_jobs()
            found = await store.jobs.standing(chosen)
            assert found.counts == Counter(job.status for job in kept)
            assert found.chosen == tuple(job.key for job in kept if job.status in chosen)
            assert found.startable == ready_keys(kept)
        assert len(given_jobs) > 20
    finally:
        await store.aclose()


async def test_jobs_attempts_and_reviews(sql_store):
    """Jobs come back whole and in order; their attempts and reviews go with them."""
    jobs = [
        Job(key=f"Task {n}", title="t\0", prompt="p", backlog="/b.md", position=n, started_at=NOW)
        for n in range(3)
    ]
    await sql_store.jobs.save_jobs(jobs[::-1])
    assert jobs == list(await sql_store.jobs.list_jobs())
    assert jobs[:1] == list(await sql_store.jobs.list_jobs(JobQuery(limit=1, backlog="/b.md")))
    assert [] == list(await sql_store.jobs.list_jobs(JobQuery(status=JobStatus.DONE)))
    attempt = Attempt(mark="m1", job_key="Task 0", number=1, created_at=NOW)
    await sql_store.jobs.save_attempt(attempt, job=replace(jobs[0], status=JobStatus.STARTING))
    assert [attempt] == list(await sql_store.jobs.list_attempts("Task 0", live_only=True))
    review = Review(
        job_key="Task 0",
        mark="m1",
        delivered_commit="d",
        base_commit="b",
        verdict=Verdict.ACCEPT,
        at=NOW,
    )
    await sql_store.jobs.save_review(replace(review, verdict=Verdict.REJECT))
    await sql_store.jobs.save_review(review)
    assert [review] == list(await sql_store.jobs.list_reviews("Task 0"))
    assert 1 == await sql_store.jobs.delete_jobs(["Task 0", "nope"])
    assert [] == list(await sql_store.jobs.list_attempts())


async def test_one_live_attempt_a_job(sql_store):
    """The database itself refuses a second live attempt, and takes one when the first has ended."""
    await sql_store.jobs.save_jobs([Job(key="a")])
    first = Attempt(mark="m1", job_key="a", number=1)
    second = Attempt(mark="m2", job_key="a", number=2)
    await sql_store.jobs.save_attempt(first)
    with pytest.raises(StoreError, match="already has a live attempt"):
        await sql_store.jobs.save_attempt(second)
    await sql_store.jobs.save_attempt(replace(first, state=AttemptState.FAILED))
    await sql_store.jobs.save_attempt(second)
    assert [second] == list(await sql_store.jobs.list_attempts(live_only=True))


async def test_the_two_reasons_to_refuse_an_attempt(sql_store):
    """An unknown job, a second live attempt and a number given twice each have their sentence."""
    with pytest.raises(StoreError, match="no job 'a'"):
        await sql_store.jobs.save_attempt(Attempt(mark="m1", job_key="a", number=1))
    await sql_store.jobs.save_jobs([Job(key="a")])
    first = Attempt(mark="m1", job_key="a", number=1, state=AttemptState.FAILED)
    await sql_store.jobs.save_attempt(first)
    with pytest.raises(StoreError, match="an attempt 1 already"):
        await sql_store.jobs.save_attempt(replace(first, mark="m2"))


async def test_job_texts_no_database_takes(sql_store):
    """NUL and halves of surrogate pairs are replaced in what is searched for, kept elsewhere."""
    job = Job(key="k\0", title="t\0\ud800", backlog="/b\0", depends_on=("d\0",), task_id="\ud800")
    await sql_store.jobs.save_jobs([job])
    expected = replace(
        job, key="k\u2400", backlog="/b\u2400", depends_on=("d\u2400",), task_id="\ufffd"
    )
    assert expected == await sql_store.jobs.get_job("k\0")
    attempt = Attempt(mark="m\0", job_key="k\0", number=1)
    await sql_store.jobs.save_attempt(attempt)
    found = await sql_store.jobs.list_attempts("k\0")
    assert [replace(attempt, mark="m\u2400", job_key="k\u2400")] == list(found)
    review = Review(
        job_key="k\0", mark="m", delivered_commit="d", base_commit="b", verdict=Verdict.ACCEPT
    )
    await sql_store.jobs.save_review(review)
    assert [replace(review, job_key="k\u2400")] == list(await sql_store.jobs.list_reviews("k\0"))


async def test_the_json_file_keeps_no_jobs(make_arguments):
    """The JSON store says so, and what to use."""
    store = await open_store(**await make_arguments("json"))
    with pytest.raises(UnsupportedOperationError, match="needs a database") as caught:
        _ = store.jobs
    assert "sqlite" in str(caught.value.hint)

"""Compare-and-set on jobs: what an import and a run at the same time stand on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.errors import StoreError

JOB = Job(key="Task 1", prompt="p", status=JobStatus.READY)
ATTEMPT = Attempt(mark="m1", job_key="Task 1", number=1, state=AttemptState.INTENDED)


async def test_it_writes_all_or_nothing(sql_store):
    """A job that is not as expected stops everything; one that is lets everything through."""
    assert await sql_store.jobs.swap_jobs({"Task 1": None}, [JOB])
    assert not await sql_store.jobs.swap_jobs({"Task 1": None}, [replace(JOB, prompt="other")])
    starting = replace(JOB, status=JobStatus.STARTING)
    assert await sql_store.jobs.swap_jobs({"Task 1": JOB}, [starting], attempts=[ATTEMPT])
    assert not await sql_store.jobs.swap_jobs({"Task 1": JOB}, [], removed=["Task 1"])
    assert [starting] == list(await sql_store.jobs.list_jobs())
    assert [ATTEMPT] == list(await sql_store.jobs.list_attempts())
    assert await sql_store.jobs.swap_jobs({"Task 1": starting}, [], removed=["Task 1"])
    assert [] == list(await sql_store.jobs.list_attempts())


async def test_of_many_at_once_one_wins(sql_store):
    """Ten programs start the same job: one attempt is made."""
    await sql_store.jobs.save_jobs([JOB])
    starting = replace(JOB, status=JobStatus.STARTING)
    won = await asyncio.gather(
        *(
            sql_store.jobs.swap_jobs(
                {"Task 1": JOB}, [starting], attempts=[replace(ATTEMPT, mark=f"m{n}")]
            )
            for n in range(10)
        )
    )
    assert 1 == sum(won) == len(await sql_store.jobs.list_attempts())


async def test_two_live_attempts_are_refused_whole(sql_store):
    """The invariant is the database's: the job keeps its state when its attempt is refused."""
    await sql_store.jobs.swap_jobs({"Task 1": None}, [JOB], attempts=[ATTEMPT])
    second = replace(ATTEMPT, mark="m2", number=2)
    with pytest.raises(StoreError):
        await sql_store.jobs.swap_jobs(
            {"Task 1": JOB}, [replace(JOB, title="x")], attempts=[second]
        )
    assert JOB == await sql_store.jobs.get_job("Task 1")

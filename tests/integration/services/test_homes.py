"""Jobs that do not say where they are worked on."""

from __future__ import annotations

import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.services.homes import NO_HOME, give_homes
from jules_job_manager.services.queue_state import QueueState

pytestmark = pytest.mark.integration


async def given(store, repository):
    state = QueueState(store=store, clock=ImpatientClock(), report=lambda progress: None)
    jobs = await store.jobs.list_jobs()
    changed = await give_homes(state, jobs, repository=repository, base_branch="main")
    found = await store.jobs.list_jobs()
    return changed, {j.key: (j.repository, j.base_branch, j.status.value, j.reason) for j in found}


async def test_a_job_gets_the_configured_home_once_there_is_one(store):
    """Until then a person is asked; what has a home, or is over, stays as it is."""
    ready = JobStatus.READY
    await store.jobs.save_jobs([
        Job(key="homeless", prompt="p", status=ready), Job(key="over", status=JobStatus.DONE),
        Job(key="branchless", repository="o/own", status=ready),
        Job(key="whole", repository="o/own", base_branch="dev", status=ready),
        Job(key="idea", status=JobStatus.DRAFT),
    ])  # fmt: skip
    changed, jobs = await given(store, "")
    assert changed
    assert ("", "main", "needs_you", NO_HOME) == jobs["homeless"]
    assert ("o/own", "main", "ready", "") == jobs["branchless"]
    assert ("o/own", "dev", "ready", "") == jobs["whole"]
    assert ("", "", "done", "") == jobs["over"]
    assert ("", "main", "draft", "") == jobs["idea"]
    assert not (await given(store, ""))[0]
    changed, jobs = await given(store, "o/r")
    assert changed
    assert ("o/r", "main", "ready", "") == jobs["homeless"]
    assert ("o/r", "main", "draft", "") == jobs["idea"]

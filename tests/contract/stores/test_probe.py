"""Looking at a database from outside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jules_job_manager.adapters.storage.revision import HEAD
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.migrate import downgrade
from jules_job_manager.adapters.storage.sql.probe import SqlStoreProbe
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.review_queue import ReviewRun
from jules_job_manager.ports.store_probe import StoreFigures

pytestmark = pytest.mark.integration
CLOCK = SystemClock()


@pytest.fixture
def probe(sql_store):
    return SqlStoreProbe(sql_store.engine, CLOCK)


async def test_the_schema_and_the_clock(sql_store, probe):
    """The newest schema; PostgreSQL tells its own time, a file has none."""
    facts = await probe.look()
    assert (HEAD, HEAD) == (facts.revision, facts.wanted_revision)
    assert (sql_store.kind == "postgresql") == (facts.now is not None)
    if facts.now is not None:
        assert abs(facts.now - CLOCK.now()) < timedelta(minutes=1)


async def test_an_older_schema_is_seen(sql_store, probe):
    """Somebody went back, while this program runs."""
    await downgrade(sql_store.engine, "0003")
    assert "0003" == (await probe.look()).revision


async def test_an_empty_store(probe):
    """Nothing is counted as nothing."""
    assert StoreFigures() == await probe.figures()


async def test_counts(sql_store, probe):
    """By status; what is archived is left out, and the oldest ready job tells how long it waits."""
    tasks = [
        JulesTask(id=f"t{number}", status=status, archived=number == 3)
        for number, status in enumerate(
            [TaskStatus.IN_PROGRESS, TaskStatus.IN_PROGRESS, TaskStatus.FAILED, TaskStatus.FAILED]
        )
    ]
    await sql_store.tasks.save_tasks(tasks)
    hour = timedelta(hours=1)
    queued = {"a": CLOCK.now() - 2 * hour, "b": CLOCK.now() - hour, "c": CLOCK.now() - 9 * hour}
    jobs = [
        Job(
            key=key, title=key, prompt="x", queued_at=at,
            status=JobStatus.DONE if key == "c" else JobStatus.READY,
        )
        for key, at in queued.items()
    ]  # fmt: skip
    await sql_store.jobs.save_jobs(jobs, [NewEvent(type="t", subject="s", at=CLOCK.now())])
    run = ReviewRun(job_key="a", mark="m", delivered_commit="d", branch="b", base_commit="c")
    await sql_store.review_queue.enqueue(run)
    figures = await probe.figures()
    assert {"in_progress": 2, "failed": 1} == figures.tasks_by_status
    assert {"ready": 2, "done": 1} == figures.jobs_by_status
    assert {"queued": 1} == figures.reviews_by_state
    assert abs(figures.oldest_ready - 2 * hour) < timedelta(minutes=1)
    assert await sql_store.events.last_id() == figures.newest_event_id > 0


async def test_connections(sql_store, probe):
    """Those in use while a transaction is open, and those that wait."""
    await probe.look()
    idle = probe.connections()
    assert (0, True) == (idle.in_use, idle.idle >= 1)
    async with transaction(sql_store.engine, writes=False):
        assert 1 == probe.connections().in_use

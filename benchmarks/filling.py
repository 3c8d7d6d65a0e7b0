"""Stores of any size, filled through the store itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.store import Store

FIRST_ID = 10**18
BATCH = 5000
FAILED = 50
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_OTHERS = [status for status in TaskStatus if status is not TaskStatus.FAILED]


def task(number: int) -> JulesTask:
    """Return one of many tasks; only the oldest ones failed, which is the worst case of a filter."""
    moment = EPOCH + timedelta(seconds=number)
    return JulesTask(
        id=f"{FIRST_ID + number}",
        title=f"Task number {number}",
        description="Add a /health endpoint with a test. " * 5,
        repository="octo/demo",
        branch="main",
        status=TaskStatus.FAILED if number < FAILED else _OTHERS[number % len(_OTHERS)],
        created_at=moment,
        updated_at=moment,
        backend="simulator",
        seen_at=moment,
    )


def ready_jobs(count: int) -> Iterator[Job]:
    """Yield jobs that are ready."""
    for number in range(count):
        yield Job(
            key=f"Job {number}", title=f"Job number {number}", prompt="Do it. " * 50,
            status=JobStatus.READY, position=number, backlog="/backlog.md",
        )  # fmt: skip


async def fill(store: Store, *, tasks: int) -> None:
    """Put that many tasks into a store."""
    for start in range(0, tasks, BATCH):
        await store.tasks.save_tasks([task(n) for n in range(start, min(start + BATCH, tasks))])


async def fill_sqlite(home: Path, *, tasks: int, jobs: int = 0) -> None:
    """Make a SQLite store in `home` with that many tasks and jobs."""
    store = await open_sqlite(home / "jjm.db")
    try:
        await fill(store, tasks=tasks)
        await store.jobs.save_jobs(list(ready_jobs(jobs)))
    finally:
        await store.aclose()

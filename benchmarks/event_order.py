"""What it costs that events become visible in the order of their ids, and what finding them costs.

    python benchmarks/event_order.py [--writers 8] [--each 200] [--events 1000000]

On a private PostgreSQL (from the wheel the tests use, or JJM_TEST_DATABASE_URL): saved tasks per
second with and without the lock, in turn in one run; then reads of a long log by a rare type, with
and without the index.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.store import SqlStore
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.task import JulesTask

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.servers import postgresql

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def saved_per_second(store: SqlStore, writers: int, each: int) -> float:
    """Let writers save a task with an event, again and again; return how many a second."""

    async def write(writer: int) -> None:
        for number in range(each):
            task = JulesTask(id=f"{writer}-{number}", title="t", updated_at=NOW)
            event = NewEvent(type="task_updated", subject=f"task:{task.id}", at=NOW)
            await store.tasks.save_tasks([task], [event])

    begun = time.perf_counter()
    await asyncio.gather(*(write(number) for number in range(writers)))
    return writers * each / (time.perf_counter() - begun)


async def compare_lock(store: SqlStore, writers: int, each: int) -> None:
    """Print both rates, the median of five turns each."""
    rates: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    for _ in range(5):
        for state, found in rates.items():
            async with transaction(store.engine, writes=True) as connection:
                await connection.execute(
                    sa.text(f"ALTER TABLE task_events {state} TRIGGER jjm_events_in_order")
                )
            found.append(await saved_per_second(store, writers, each))
    without, with_lock = (statistics.median(found) for found in rates.values())
    print(f"{writers} writers: {without:.0f}/s in any order, {with_lock:.0f}/s in order "
          f"({with_lock / without:.2f})")  # fmt: skip


async def compare_index(store: SqlStore, count: int) -> None:
    """Print the time of a read of a rare type in a long log, with the index and without."""
    rare = max(count // 50, 1)
    async with transaction(store.engine, writes=True) as connection:
        await connection.execute(sa.text(
            "INSERT INTO task_events (type, subject, at, actor, data) SELECT CASE WHEN n % "
            f"{rare} = 0 THEN 'rare' ELSE 'often' || (n % 9) END, 'task:' || n, "
            f"'2026-11-24', 'jjm', '{{}}' FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT "
            f"n + 1 FROM c WHERE n < {count}) SELECT n FROM c) AS numbers"
        ))  # fmt: skip
    for change in ("", "DROP INDEX ix_task_events_type_id"):
        async with transaction(store.engine, writes=True) as connection:
            if change:
                await connection.execute(sa.text(change))
            await connection.execute(sa.text("ANALYZE"))
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            await store.events.read(type="rare", limit=20)
            times.append(1000 * (time.perf_counter() - begun))
        what = "without" if change else "with"
        print(f"{store.kind}: a rare type in {count} events {what} the index: "
              f"{statistics.median(times):.1f} ms")  # fmt: skip


async def main(writers: int, each: int, events: int) -> None:
    """Run both on PostgreSQL, and the second on SQLite."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as home, postgresql() as address:
        for kind in ("postgresql", "sqlite"):
            if kind == "postgresql" and address is None:
                print("no PostgreSQL here")
                continue
            store = await open_store(
                kind=kind, data_path=Path(home) / "jjm.db", database_url=address or "",
                fallback="error", clock=clock,
            )  # fmt: skip
            assert isinstance(store, SqlStore)
            if kind == "postgresql":
                await compare_lock(store, writers, each)
            await compare_index(store, events)
            await store.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--events", type=int, default=1_000_000)
    given = parser.parse_args()
    asyncio.run(main(given.writers, given.each, given.events))

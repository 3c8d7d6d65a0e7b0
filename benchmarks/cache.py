"""Whether the cache in Redis is quicker than the store: reads a second of one task and of a list.

    python benchmarks/cache.py [--reads 1500] [--at-once 8]

On SQLite, on a private PostgreSQL and Valkey (from the wheels the tests use, or
JJM_TEST_DATABASE_URL and JJM_TEST_REDIS_URL), all in one run. Every read through the cache is a hit.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jules_job_manager.adapters.cache.redis import RedisCache
from jules_job_manager.adapters.redis_client import open_redis
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.task import ChatMessage, JulesTask
from jules_job_manager.ports.task_store import TaskQuery, TaskStore
from jules_job_manager.services.task_cache import TaskCache

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.servers import postgresql, redis

NOW = datetime(2026, 11, 24, tzinfo=UTC)
Read = Callable[[], Awaitable[object]]


async def rate(read: Read, reads: int, at_once: int) -> float:
    """Return how many reads a second, the median of three turns."""
    found = []
    for _ in range(3):
        begun = time.perf_counter()

        async def turn() -> None:
            for _ in range(reads // at_once):
                await read()

        await asyncio.gather(*(turn() for _ in range(at_once)))
        found.append(reads / (time.perf_counter() - begun))
    return statistics.median(found)


def reads_of(tasks: TaskStore | TaskCache) -> dict[str, Read]:
    """Return what is read."""
    return {"task": lambda: tasks.get_task("500"), "list": lambda: tasks.list_tasks(TaskQuery())}


async def main(reads: int, at_once: int) -> None:
    """Print the rates."""
    tasks = [
        JulesTask(id=str(n), title=f"Task {n}", description="d" * 300, repository="octo/demo",
                  updated_at=NOW + timedelta(seconds=n),
                  chat_history=tuple(ChatMessage(content="m" * 200, timestamp=NOW) for _ in range(10)))
        for n in range(1000)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as home, postgresql() as database, redis() as address:
        if address is None:
            print("no Redis here")
            return
        for kind in ("sqlite", "postgresql"):
            store = await open_store(
                kind=kind, data_path=Path(home) / "jjm.db", database_url=database or "",
                fallback="error", clock=SystemClock(),
            )  # fmt: skip
            await store.tasks.save_tasks(tasks)
            client = open_redis(address, timeout_seconds=5, connections=at_once + 2)
            await client.flushdb()
            cache = RedisCache(client)
            cached = reads_of(TaskCache(tasks=store.tasks, cache=cache))
            for name, plain in reads_of(store.tasks).items():
                await cached[name]()
                without = await rate(plain, reads, at_once)
                with_it = await rate(cached[name], reads, at_once)
                print(f"{kind:10} {name}: {without:6.0f}/s from the store, {with_it:6.0f}/s from the "
                      f"cache ({with_it / without:.2f})", flush=True)  # fmt: skip
            await cache.aclose()
            await store.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reads", type=int, default=1500)
    parser.add_argument("--at-once", type=int, default=8)
    given = parser.parse_args()
    asyncio.run(main(given.reads, given.at_once))

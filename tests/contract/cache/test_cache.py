"""What every cache does, and reading tasks through one."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.servers import NO_REDIS, private_redis
from tests.waiting import until

from jules_job_manager.adapters.bus.local import LocalBus
from jules_job_manager.adapters.cache.none import NoCache
from jules_job_manager.adapters.cache.redis import RedisCache
from jules_job_manager.adapters.redis_client import open_redis
from jules_job_manager.adapters.storage.json_store import open_json
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.live import LiveEvents
from jules_job_manager.services.task_cache import TaskCache

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def server():
    with private_redis() as found:
        if found is None:
            pytest.skip(NO_REDIS)
        yield found


@contextlib.asynccontextmanager
async def on_redis(server):
    client = open_redis(server.address, timeout_seconds=2, connections=4)
    await client.flushdb()
    cache = RedisCache(client)
    yield cache
    await cache.aclose()
    await cache.aclose()


@pytest.fixture
async def redis_cache(server):
    async with on_redis(server) as cache:
        yield cache


@pytest.fixture(params=["none", "redis"])
async def cache(request):
    if request.param == "none":
        yield NoCache()
        return
    async with on_redis(request.getfixturevalue("server")) as opened:
        yield opened


async def test_what_was_forgotten_is_gone(cache):
    """Whether it was kept or not."""
    found = await cache.get("a")
    assert found.value is None
    await cache.put("a", "1", seconds=60, stamp=found.stamp)
    assert (await cache.get("a")).value in {None, "1"}
    await cache.forget(["a", "b"])
    await cache.forget([])
    assert (await cache.get("a")).value is None
    assert "" == cache.trouble


async def test_what_was_read_before_a_change_is_not_kept_after_it(redis_cache):
    """A slow reader cannot bring back what was forgotten meanwhile."""
    before = await redis_cache.get("a")
    await redis_cache.forget(["a"])
    await redis_cache.put("a", "old", seconds=60, stamp=before.stamp)
    now = await redis_cache.get("a")
    assert now.value is None
    await redis_cache.put("a", "new\u2028", seconds=60, stamp=now.stamp)
    assert "new\u2028" == (await redis_cache.get("a")).value


async def test_it_ends_by_itself(redis_cache):
    """After its time nothing is there."""
    await redis_cache.put("a", "1", seconds=0.05, stamp="")

    async def is_gone() -> bool:
        return (await redis_cache.get("a")).value is None

    await until(is_gone)


async def test_away():
    """Nothing is raised, and it is said."""
    cache = RedisCache(open_redis("redis://127.0.0.1:1/0", timeout_seconds=1, connections=1))
    found = await cache.get("a")
    await cache.put("a", "1", seconds=1, stamp=found.stamp)
    await cache.forget(["a"])
    assert (None, True) == (found.value, found.is_away)
    assert "Redis is away" in cache.trouble
    await cache.aclose()


async def test_tasks_while_it_is_away(tmp_path):
    """The store answers; each read is counted as an error, and no miss."""
    store = await open_json(tmp_path / "tasks.json", SystemClock())
    await store.tasks.save_tasks([JulesTask(id="1", title="t")])
    cache = RedisCache(open_redis("redis://127.0.0.1:1/0", timeout_seconds=1, connections=1))
    told: list[str] = []
    reader = TaskCache(tasks=store.tasks, cache=cache, count=told.append)
    assert "t" == (await reader.get_task("1")).title
    assert 1 == len((await reader.list_tasks(TaskQuery())).tasks)
    assert ["error", "error"] == told
    assert (0, 0, 2) == (reader.counts.hits, reader.counts.misses, reader.counts.errors)
    assert "Redis is away" in await reader.look()
    await cache.aclose()


async def test_a_look_reads_and_writes(redis_cache, server, tmp_path):
    """A Redis that answers and takes nothing is seen, and seen to be well again without other use."""
    store = await open_json(tmp_path / "tasks.json", SystemClock())
    reader = TaskCache(tasks=store.tasks, cache=redis_cache)
    assert "" == await reader.look()
    client = open_redis(server.address, timeout_seconds=2, connections=1)
    await client.config_set("maxmemory", "1")
    try:
        assert "Redis is away" in await reader.look()
        assert "Redis is away" in await reader.look(), "reading it does not make it well"
    finally:
        await client.config_set("maxmemory", "0")
        await client.aclose()
    assert "" == await reader.look()


async def test_tasks_through_a_cache(cache, tmp_path):
    """The same as from the store, and no older than the events say."""
    store = await open_json(tmp_path / "tasks.json", SystemClock())
    live = LiveEvents(log=store.events, bus=LocalBus())
    told: list[str] = []
    reader = TaskCache(tasks=store.tasks, cache=cache, count=told.append)
    chat = (ChatMessage(content="\ud800\0", timestamp=NOW),)
    task = JulesTask(id="1", title="t", status=TaskStatus.FAILED, updated_at=NOW, chat_history=chat)
    await store.tasks.save_tasks([task])
    await live.look()
    forgetting = asyncio.create_task(reader.forget_changed(live))
    await until(lambda: live.health().followers)
    queries = [
        TaskQuery(),
        TaskQuery(status=TaskStatus.FAILED),
        TaskQuery(limit=3),
        TaskQuery(after=None, repository="x"),
    ]

    async def agree() -> bool:
        same = await store.tasks.get_task("1") == await reader.get_task("1")
        for query in queries:
            same = same and await store.tasks.list_tasks(query) == await reader.list_tasks(query)
        return same

    assert await agree()
    assert await agree()
    assert await reader.get_task("2") is None
    hits = reader.counts.hits
    assert (3 if cache.name == "redis" else 0) == hits
    assert hits == told.count("hit")
    event = NewEvent(type="task_state_changed", subject="task:1", at=NOW)
    await store.tasks.save_tasks([replace(task, status=TaskStatus.COMPLETED)], [event])
    await live.look()
    await until(lambda: reader.counts.forgotten == 1)
    assert await agree()
    assert TaskStatus.COMPLETED is (await reader.get_task("1")).status
    live.stop()
    await forgetting

"""The whole of it as the server runs it: two programs on one store, with Redis and without."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest
from tests.integration.webhooks.receiver import receiver
from tests.servers import NO_REDIS, private_redis
from tests.waiting import until

from jules_job_manager.bootstrap import open_app
from jules_job_manager.bootstrap.live import live_service, webhooks_of
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import load_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def own_redis():
    with private_redis() as server:
        if server is None:
            pytest.skip(NO_REDIS)
        yield server


def settings(tmp_path, **environ):
    return load_settings({"JJM_HOME": str(tmp_path / "home"), **environ})


def event(number: int) -> NewEvent:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return NewEvent(type="t", subject=f"task:{number}", at=at, data={"n": number})


class Watcher:
    """Follows events in the background."""

    def __init__(self, live) -> None:
        self._live = live
        self.seen: list[int] = []

    async def follow(self) -> None:
        async for found in self._live.follow(after_id=0):
            if isinstance(found, Event):
                self.seen.append(found.data["n"])


async def test_hints_come_through_redis_and_losing_it_loses_nothing(tmp_path, own_redis):
    """One program writes, the other hears at once; without Redis it hears by looking."""
    given = settings(tmp_path, REDIS_URL=own_redis.address, JJM_LIVE__POLL_SECONDS="3")
    async with open_app(given) as here, open_app(given) as there, live_service(here) as service:
        watcher = Watcher(service.live)
        following = asyncio.create_task(watcher.follow())
        await until(lambda: service.live.health().followers)
        looks = 0
        plain = service.live.look

        async def counted():
            nonlocal looks
            looks += 1
            await plain()

        service.live.look = counted
        for number in range(20):
            await there.store.events.append([event(number)])
            await until(lambda n=number: len(watcher.seen) == n + 1)
        assert looks > 10, "each was heard of by its hint"
        await asyncio.to_thread(own_redis.stop)
        await there.store.events.append([event(20)])
        await until(lambda: len(watcher.seen) == 21)
        await until(lambda: service.live.health().degraded)
        await asyncio.to_thread(own_redis.start)
        await until(lambda: not service.live.health().degraded)
        await there.store.events.append([event(21)])
        await until(lambda: len(watcher.seen) == 22)
        service.stop()
        await following
    assert list(range(22)) == watcher.seen


async def test_tasks_are_read_through_the_cache(tmp_path, own_redis):
    """What another program changes is seen, as soon as its event is."""
    given = settings(tmp_path, REDIS_URL=own_redis.address, JJM_CACHE__BACKEND="redis")
    async with open_app(given) as here, open_app(given) as there, live_service(here) as service:
        await until(lambda: service.live.health().followers)
        for title in ("a", "b", "c"):
            written = NewEvent(type="task_updated", subject="task:1", at=datetime.now(UTC))
            await there.store.tasks.save_tasks([JulesTask(id="1", title=title)], [written])

            async def is_seen(wanted=title) -> bool:
                task = await service.tasks.get_task("1")
                return task is not None and task.title == wanted

            await until(is_seen)
            assert await is_seen()
        assert service.tasks.counts.hits


async def test_a_cache_without_an_address(tmp_path):
    """It is said what to set."""
    async with open_app(settings(tmp_path, JJM_CACHE__BACKEND="redis")) as app:
        with pytest.raises(ConfigurationError, match=r"redis\.url"):
            async with live_service(app):
                pass


async def test_alone(tmp_path):
    """Without Redis: events, and webhooks that are sent while the service runs."""
    given = settings(
        tmp_path, JJM_WEBHOOKS__ALLOW_PRIVATE="127.0.0.1", JJM_LIVE__POLL_SECONDS="0.1"
    )
    async with receiver() as there, open_app(given) as app:
        async with live_service(app) as service, webhooks_of(app) as webhooks:
            await webhooks.create(there.url, subjects=["task:*"])
            await app.store.events.append([event(1)])
            await until(lambda: there.got)
            assert service.deliveries is not None
        assert service.live.is_stopped
        assert await app.store.leases.current("webhooks") is None


async def test_a_json_file_has_live_events_and_no_webhooks(tmp_path):
    """What needs a database is left out, and the rest works."""
    given = settings(tmp_path, JJM_STORAGE__BACKEND="json")
    async with open_app(given) as app, live_service(app) as service:
        assert service.deliveries is None
        watcher = Watcher(service.live)
        following = asyncio.create_task(watcher.follow())
        await app.store.events.append([event(1)])
        await until(lambda: watcher.seen == [1])
        service.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await following

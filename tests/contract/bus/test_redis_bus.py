"""What only Redis does: channels of ticket JJM-036, being away, and coming back."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from tests.clocks import ImpatientClock
from tests.contract.bus.conftest import redis_bus
from tests.contract.bus.test_every_bus import EVENT, Listener
from tests.waiting import until

from jules_job_manager.adapters.redis_client import open_redis
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.errors import ConfigurationError

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def test_the_channel_of_a_task(redis_address):
    """Programs of others hear of one task, as JSON with task_id, event_type and data."""
    client = open_redis(redis_address, timeout_seconds=2.0, connections=2)
    async with redis_bus(redis_address) as bus, client.pubsub() as channel:
        await channel.subscribe("task:updates:42")
        assert "subscribe" == (await channel.get_message(timeout=10))["type"]
        await bus.publish([
            NewEvent(type="job_state_changed", subject="job:42", at=NOW),
            NewEvent(type="task_state_changed", subject="task:42", at=NOW, data={"to": "failed"}),
        ])  # fmt: skip
        message = await channel.get_message(timeout=10)
    await client.aclose()
    assert {"task_id": "42", "event_type": "task_state_changed", "data": {"to": "failed"}} == (
        json.loads(message["data"])
    )


async def test_a_server_that_stops_and_comes_back(own_redis):
    """It is said to be degraded, nothing is raised, and listeners are woken when it is back."""
    clock = ImpatientClock()
    async with redis_bus(own_redis.address, clock) as bus, Listener(bus).listening() as one:
        await asyncio.to_thread(own_redis.stop)
        await until(lambda: bus.health().degraded)
        await bus.publish([EVENT, EVENT])
        assert 2 == bus.health().lost_hints
        assert "Redis is away" in bus.health().detail
        before = one.heard
        await asyncio.to_thread(own_redis.start)
        await until(lambda: one.heard > before)
        await bus.publish([EVENT])
        assert not bus.health().degraded
        await until(lambda: one.heard > before + 1)
    assert clock.waits[:3] == sorted(clock.waits[:3])
    assert max(clock.waits) <= 15


async def test_a_server_that_does_not_answer(own_redis):
    """A connection that is open and silent is given up."""
    quick = redis_bus(own_redis.address, quiet_seconds=0.2)
    async with quick as bus, Listener(bus).listening() as one:
        with own_redis.silent():
            await until(lambda: bus.health().degraded)
        before = one.heard
        await until(lambda: one.heard > before)


async def test_a_server_that_was_never_there():
    """Listening goes on trying, and publishing says nothing."""
    clock = ImpatientClock()
    async with redis_bus("redis://127.0.0.1:1/0", clock) as bus:
        listening = asyncio.create_task(bus.listen(lambda: None))
        await until(lambda: len(clock.waits) > 7)
        listening.cancel()
        await bus.publish([EVENT])
        assert bus.health().degraded
    assert [0.5, 1, 2, 4, 8, 15, 15] == clock.waits[:7]


async def test_a_password_is_not_shown(own_redis):
    """What is wrong is said without the address' secret."""
    await asyncio.to_thread(own_redis.stop)
    await asyncio.to_thread(own_redis.start, "--requirepass", "hunter2hunter2")
    wrong = own_redis.address.replace("//", "//:wrongsecret@")
    async with redis_bus(wrong) as bus:
        await bus.publish([EVENT])
        assert bus.health().degraded
        assert "wrongsecret" not in bus.health().detail
    right = own_redis.address.replace("//", "//:hunter2hunter2@")
    async with redis_bus(right) as bus, Listener(bus).listening():
        assert not bus.health().degraded


async def test_by_sentinel(own_redis, tmp_path):
    """The Sentinels are asked where the service is."""
    from tests.servers import RedisServer

    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor jjm 127.0.0.1 {own_redis.port} 1\n")
    sentinel = RedisServer(own_redis._binary, tmp_path)
    sentinel.start_sentinel(config)
    try:
        address = f"redis+sentinel://127.0.0.1:{sentinel.port}/jjm/0"
        async with redis_bus(address) as bus, Listener(bus).listening() as one:
            before = one.heard
            await bus.publish([EVENT])
            await until(lambda: one.heard > before)
    finally:
        sentinel.stop()


@pytest.mark.parametrize("url", [
    "http://host", "redis+sentinel://host", "redis+sentinel:///service", "redis+sentinel://h:x/s",
    "redis+sentinel://h:1/s/x", "",
])  # fmt: skip
def test_what_is_no_address(url):
    """It is refused in words, before anything is connected."""
    with pytest.raises(ConfigurationError):
        open_redis(url, timeout_seconds=1, connections=1)

"""Every bus, on a real server where it needs one."""

from __future__ import annotations

import contextlib

import pytest
from tests.servers import NO_REDIS, private_redis, redis

from jules_job_manager.adapters.bus.local import LocalBus
from jules_job_manager.adapters.bus.redis import RedisBus
from jules_job_manager.adapters.redis_client import open_redis
from jules_job_manager.adapters.system_clock import SystemClock


@pytest.fixture(scope="session")
def redis_address():
    with redis() as address:
        if address is None:
            pytest.skip(NO_REDIS)
        yield address


@pytest.fixture
def own_redis():
    """A server that the test may stop."""
    with private_redis() as server:
        if server is None:
            pytest.skip(NO_REDIS)
        yield server


@contextlib.asynccontextmanager
async def redis_bus(address, clock=None, **choice):
    client = open_redis(address, timeout_seconds=2.0, connections=5)
    bus = RedisBus(client, clock=clock or SystemClock(), **choice)
    try:
        yield bus
    finally:
        await bus.aclose()


@pytest.fixture(params=["local", "redis"])
async def bus(request):
    if request.param == "local":
        yield LocalBus()
        return
    async with redis_bus(request.getfixturevalue("redis_address")) as opened:
        yield opened

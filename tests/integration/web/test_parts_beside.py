"""What the application has beside its routes: who looks again, what is closed, what health knows."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import HTTPConnection
from tests.servers import NO_REDIS, private_redis

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.bootstrap.access import local_caller
from jules_job_manager.domain.access import Permission, Role
from jules_job_manager.domain.health import HealthStatus
from jules_job_manager.errors import SignInRequiredError
from jules_job_manager.web.rate_limits import LimitRules, RateLimits

pytestmark = pytest.mark.integration


async def test_a_revoked_key_may_follow_no_longer(web):
    """The gate looks the key up again; what a stream calls is this."""
    gate = web.state.gate
    issued = await gate.access.create(name="x", role=Role.VIEWER, caller=local_caller())
    headers = [(b"authorization", f"Bearer {issued.text}".encode())]
    connection = HTTPConnection({"type": "http", "method": "GET", "headers": headers, "app": web})
    await gate.recheck(connection, Permission.EVENTS_READ)
    await gate.access.revoke(issued.key.id, caller=local_caller())
    with pytest.raises(SignInRequiredError):
        await gate.recheck(connection, Permission.EVENTS_READ)


async def test_the_gate_closes_what_it_has_open(web):
    """The connections to the provider that people sign in with."""
    closed = asyncio.Event()

    class Provider:
        async def aclose(self):
            closed.set()

    web.state.gate.sign_in._provider = Provider()
    await web.state.gate.aclose()
    assert closed.is_set()


async def test_health_says_when_each_counts_for_itself():
    """From the first request that Redis did not count to the first that it counts again."""
    with private_redis() as server:
        if server is None:
            pytest.skip(NO_REDIS)
        limits = RateLimits(LimitRules(), clock=SystemClock(), storage=server.address)
        await limits.hit("default", 5, "ada")
        assert HealthStatus.HEALTHY is (await limits.look()).status
        server.stop()
        await limits.hit("default", 5, "ada")
        assert HealthStatus.DEGRADED is (await limits.look()).status
        await limits.aclose()

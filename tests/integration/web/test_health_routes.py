"""Health over HTTP."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from httpx2 import ASGITransport, AsyncClient
from tests.clocks import FakeClock

from jules_job_manager.domain.health import Damping, Found, HealthStatus
from jules_job_manager.services.health import Health, HealthCheck
from jules_job_manager.web.health import health_router, probe_router

pytestmark = pytest.mark.integration


class World:
    """A server with one critical check and one that is not."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.found = {"database": HealthStatus.HEALTHY, "redis": HealthStatus.HEALTHY}
        self.health = Health(
            clock=self.clock, damping=Damping(to_worsen=1, to_recover=1),
            checks=[
                HealthCheck(name="database", probe=self._probe("database")),
                HealthCheck(name="redis", probe=self._probe("redis"), is_critical=False),
            ],
        )  # fmt: skip

    def _probe(self, name):
        async def look() -> Found:
            return Found(status=self.found[name], message=f"{name} was looked at.")

        return look

    def client(self, **options) -> AsyncClient:
        app = FastAPI()
        app.include_router(probe_router(self.health))
        app.include_router(health_router(self.health, version="1.2.3", **options))
        return AsyncClient(transport=ASGITransport(app=app), base_url="http://test")


async def _everybody(request: Request) -> bool:
    return request.headers.get("x-api-key") == "k"


async def _codes(client) -> tuple[int, ...]:
    return tuple(
        [(await client.get(f"/health{end}")).status_code for end in ("/live", "/ready", "")]
    )


async def test_before_the_first_look_and_after():
    """Alive at once, ready once everything critical was looked at."""
    world = World()
    async with world.client() as client:
        assert (200, 503, 200) == await _codes(client)
        await world.health.check_all()
        assert (200, 200, 200) == await _codes(client)


@pytest.mark.parametrize(
    ("database", "redis", "codes", "status"),
    [
        ("degraded", "healthy", (200, 200, 200), "degraded"),
        ("healthy", "unhealthy", (200, 200, 200), "degraded"),
        ("unhealthy", "healthy", (200, 503, 503), "unhealthy"),
    ],
)
async def test_what_is_answered_when_something_is_broken(database, redis, codes, status):
    """A process whose database is away is alive: a restart would not help."""
    world = World()
    world.found = {"database": HealthStatus(database), "redis": HealthStatus(redis)}
    await world.health.check_all()
    async with world.client() as client:
        assert codes == await _codes(client)
        assert status == (await client.get("/health")).json()["status"]


async def test_details_are_for_those_who_may_see_them():
    """Everybody else gets the whole alone, in the ticket's shape."""
    world = World()
    await world.health.check_all()
    async with world.client(may_see_details=_everybody) as client:
        answer = await client.get("/health")
        assert {"status", "version", "uptime"} == set(answer.json())
        assert ("no-store", "1.2.3") == (answer.headers["cache-control"], answer.json()["version"])
        answer = (await client.get("/health", headers={"x-api-key": "k"})).json()
        assert {"status", "version", "uptime", "checks"} == set(answer)
        assert {
            "status": "healthy", "message": "redis was looked at.", "age_seconds": 0.0,
            "critical": False,
        }.items() <= answer["checks"]["redis"].items()  # fmt: skip
        assert answer["checks"]["redis"]["latency"] >= 0


async def test_the_document_says_what_is_answered():
    """The 503 of both routes, too."""
    world = World()
    async with world.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"200", "503"} == set(paths["/health/ready"]["get"]["responses"])
    assert {"200", "503"} == set(paths["/health"]["get"]["responses"])

"""A cache in a Redis that is away: tasks are shown all the same, and health and metrics say it."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.health import HealthStatus

pytestmark = pytest.mark.integration
TASKS = "/api/v1/tasks"
NEW = {"description": "Add a greeting", "repository": "octo/sample"}


@pytest.fixture
def environ(environ):
    """Return an environment in which nobody answers for Redis."""
    return {**environ, "REDIS_URL": "redis://127.0.0.1:1/0", "JJM_CACHE__BACKEND": "redis"}


async def test_it_is_said(client, service):
    """As a check that is degraded, with the reason, and as reads with the outcome `error`."""
    task = (await client.post(TASKS, json=NEW)).json()
    assert task["id"] == (await client.get(f"{TASKS}/{task['id']}")).json()["id"]
    text = (await client.get("/metrics")).text
    assert 'jules_cache_requests_total{outcome="error"} 1.0' in text
    assert 'jules_cache_requests_total{outcome="miss"} 0.0' in text
    found = await service.look_at_cache()
    assert HealthStatus.DEGRADED is found.status
    assert "Redis is away, so the store is asked each time" in found.message
    assert "cache" in (await client.get("/health")).json()["checks"]

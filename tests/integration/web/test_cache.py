"""Tasks that are shown come from the cache, when there is one, and never old ones for long."""

from __future__ import annotations

import asyncio

import pytest
from tests.servers import NO_REDIS, redis

pytestmark = pytest.mark.integration
TASKS = "/api/v1/tasks"
NEW = {"description": "Add a greeting", "repository": "octo/sample"}


@pytest.fixture
def environ(environ):
    """Return an environment with a real server for the cache."""
    with redis() as address:
        if address is None:
            pytest.skip(NO_REDIS)
        yield {**environ, "REDIS_URL": address, "JJM_CACHE__BACKEND": "redis"}


async def test_shown_through_the_cache(client, service):
    """A second look is a hit; a change is seen; what is changed is compared with the truth."""
    task = (await client.post(TASKS, json=NEW)).json()
    path = f"{TASKS}/{task['id']}"
    first = await client.get(path)
    for _ in range(500):  # what was kept first is forgotten once the create is heard of
        await client.get(path)
        await client.get(TASKS)
        if service.events.tasks.counts.hits >= 4:
            break
    assert service.events.tasks.counts.hits >= 4
    assert "jules_cache_requests_total" in (await client.get("/metrics")).text
    tag = first.headers["ETag"]
    changed = await client.put(path, json={"archived": True}, headers={"If-Match": tag})
    assert 200 == changed.status_code
    late = await client.put(path, json={"archived": False}, headers={"If-Match": tag})
    assert 412 == late.status_code
    for _ in range(500):
        if (await client.get(path)).json()["archived"]:
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("the cache kept what had changed")

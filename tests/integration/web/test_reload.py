"""Other settings while the service runs: what they reach, and that nothing is left over."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.integration.web.conftest import client_of

from jules_job_manager.bootstrap.queue import queue_worker
from jules_job_manager.domain.access import Role
from jules_job_manager.domain.masking import MASK

pytestmark = pytest.mark.integration
TASKS = "/api/v1/tasks?limit=1"


@pytest.fixture
def environ(environ):
    """A worker inside, and limits."""
    return {**environ, "JJM_SERVER__WORKER": "true", "JJM_RATE_LIMITS__ENABLED": "true"}


def _workers() -> int:
    return sum(task.get_name() == "queue worker" for task in asyncio.all_tasks())


async def test_limits_hold_from_then_on(web, service, keys):
    """The next request is counted by the new ones; the same settings again count on."""
    few = replace(service.app.settings.rate_limits, per_minute=2)
    async with client_of(web, keys[Role.VIEWER]) as client:

        async def statuses(count: int) -> list[int]:
            return [(await client.get(TASKS)).status_code for _ in range(count)]

        assert [200] * 5 == await statuses(5)
        for subscriber in service.watch._subscribers:
            await subscriber(replace(service.app.settings, rate_limits=few))
        assert [200, 200, 429] == await statuses(3)
        for subscriber in service.watch._subscribers:
            await subscriber(replace(service.app.settings, rate_limits=few))
        assert [429] == await statuses(1)


async def test_reloads_at_once_leave_one_worker(service):
    """And none after the end."""
    async with service.running():
        await asyncio.gather(*(service.reload(service.app.settings) for _ in range(4)))
        assert 1 == _workers()
    assert 0 == _workers()


async def test_a_service_without_a_worker_gets_none(service):
    """Nor one that has ended."""
    await service.reload(service.app.settings)
    assert 0 == _workers()


async def test_what_was_read_on_a_signal_is_masked(service):
    """Before anybody works with it."""
    jules = replace(service.app.settings.jules, api_key="a-new-key")
    service.watch._load = lambda: replace(service.app.settings, jules=jules)
    seen, heard = [], asyncio.Event()

    async def look(settings) -> None:
        seen.append(service.app.secrets.masked(settings.jules.api_key))
        heard.set()

    service.watch.subscribe(look)
    async with service.running(), asyncio.timeout(30):
        service.watch.wake()
        await heard.wait()
    assert "a-new-key" == service.app.settings.jules.api_key
    assert [MASK] == seen


async def test_one_watcher_of_calls_whoever_works(service):
    """Alerts of a worker that began later look at the calls that the open backend makes."""
    app = service.app
    backend = app.backend
    before = list(app.watchers)
    for _ in range(3):
        queue_worker(app, app.settings, {}, report=lambda _: None)
    assert before == app.watchers
    assert backend is app.backend
    await backend.list_tasks(limit=1)

    async def ask() -> None:
        raise AssertionError("the call was not seen")

    assert "Jules answers." == (await app.backend_health.look("default", ask)).message
    assert app.backend_health is service.operations.backends


async def test_github_is_opened_anew(service):
    """With the token that holds now, for all who act for somebody."""
    app = service.app
    other = app.acting_as("somebody")
    github = replace(app.settings.github, token="ghp_one")
    app.settings = other.settings = replace(app.settings, github=github)
    first = app.github
    assert first is other.github
    github = replace(github, token="ghp_another")
    await app.use_settings(replace(app.settings, github=github))
    second = app.github
    assert first is not second
    assert second is app.acting_as("somebody").github

"""Hearing of events over a real connection, while the service goes away and comes back."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.client.connection import Connection
from jules_job_manager.client.hints import Hints, hearing
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.services.monitoring import watch

pytestmark = pytest.mark.integration
LONG = 60.0
"""No test waits so long: an event comes, or the test fails by its time limit."""


@pytest.fixture
def environ(tmp_path):
    """Return the environment of a service that can be started again at the same place."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_SIMULATOR__SPEED="2000"
    ), {"server.port": port}


class QuickClock(SystemClock):
    """Waits between two tries are short; the wait for news is not."""

    async def sleep(self, seconds: float) -> None:
        """Sleep, at most a twentieth of a second where less than `LONG` was meant."""
        await super().sleep(seconds if seconds >= LONG else min(seconds, 0.05))


def _connection(there) -> Connection:
    return Connection(there.address, api_key=there.key, timeout_seconds=10)


async def _happens(there, subject: str) -> None:
    async def append() -> None:
        event = NewEvent(type="merged", subject=subject, at=there.app.clock.now())
        await there.app.store.events.append([event])

    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(append(), there.loop))


async def _live(hints: Hints) -> None:
    """Wait until the stream is open: its first word is news."""
    await hints.wait(LONG)
    assert hints.is_live


@pytest.fixture
def in_thread():
    """Return a function that enters a context manager without holding up the event loop."""

    async def enter(manager):
        return await asyncio.to_thread(manager.__enter__)

    async def leave(manager) -> None:
        await asyncio.to_thread(manager.__exit__, None, None, None)

    return enter, leave


async def test_news_are_heard_over_a_restart(environ, in_thread):
    """An event wakes who waits; after a restart there is news at once, as some may have been missed."""
    enter, leave = in_thread
    first = running_service(environ[0], **environ[1])
    there = await enter(first)
    connection = _connection(there)
    async with hearing(connection, QuickClock(), task="1") as hints:
        await _live(hints)
        await _happens(there, "task:2")  # of another: nobody is woken
        await _happens(there, "task:1")
        await hints.wait(LONG)
        await leave(first)
        second = running_service(environ[0], **environ[1])
        there = await enter(second)
        await hints.wait(LONG)
        assert hints.is_live
        await _happens(there, "task:1")
        await hints.wait(LONG)
        await leave(second)
    await connection.aclose()


async def test_without_a_stream_there_is_the_interval(environ, in_thread):
    """A service that refuses the stream is not asked again; waiting takes its time."""
    enter, leave = in_thread
    service = running_service(environ[0], **environ[1])
    there = await enter(service)
    connection = Connection(there.address, api_key="", timeout_seconds=10)
    hints = Hints(connection, QuickClock(), filters={})
    await hints.listen()  # returns, as nobody without a key may listen
    assert not hints.is_live
    await hints.wait(0.01)
    await connection.aclose()
    await leave(service)


async def test_watching_goes_on_when_the_service_comes_back(environ, in_thread):
    """Failed looks are told; the event that ends the task is heard after the restart."""
    from jules_job_manager.client.app import open_remote
    from jules_job_manager.settings.load import load_settings

    enter, leave = in_thread
    service = running_service(environ[0], **environ[1])
    there = await enter(service)
    await _keep(there, TaskStatus.IN_PROGRESS)
    settings = load_settings(
        {**environ[0], "JJM_SERVER": there.address, "JJM_SERVER_KEY": there.key}
    )
    clock = QuickClock()
    async with open_remote(settings, clock=clock) as app, app.news_of("77") as wait:
        observer = _Stored(app)
        looks = watch(observer, clock, "77", interval_seconds=LONG, wait=wait)
        assert "in_progress" == (await anext(looks)).task.status.value
        await leave(service)
        service = running_service(environ[0], **environ[1])
        there = await enter(service)
        await _keep(there, TaskStatus.COMPLETED)
        async for look in looks:  # the reconnected stream says: look
            last = look
        assert last.is_last
        assert "completed" == last.task.status.value
    await leave(service)


class _Stored:
    """Looks at what the service has stored: the task of this test is not at the pretend Jules."""

    def __init__(self, app) -> None:
        self._app = app

    async def look_at(self, reference: str, *, fresh_seconds: float = 0.0) -> JulesTask:
        """Return it."""
        del fresh_seconds
        return await self._app.tasks.get_stored(reference)


async def _keep(there, status: TaskStatus) -> None:
    async def save() -> None:
        app = there.app
        event = NewEvent(type="task_state_changed", subject="task:77", at=app.clock.now())
        task = JulesTask(id="77", status=status, backend="simulator", seen_at=app.clock.now())
        await app.store.tasks.save_tasks([task], [event])

    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(save(), there.loop))

"""Following a queue that a service runs: each event once, over a restart, and an end that is one."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.client.app import open_remote
from jules_job_manager.client.queue_follow import Ended, QueueFollow
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.services.queue_run import LEASE_NAME
from jules_job_manager.settings.load import load_settings

pytestmark = pytest.mark.integration
READY = Job(key="Task 1", prompt="p", status=JobStatus.READY, repository="o/r", base_branch="main")


class QuickClock(SystemClock):
    """Every wait is short."""

    async def sleep(self, seconds: float) -> None:
        """Sleep a twentieth of a second at most."""
        await super().sleep(min(seconds, 0.05))


@pytest.fixture
def start(tmp_path):
    """Return a function that makes a service, always at the same place; none of them has a worker."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = bare_environment(JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator")
    return lambda: running_service(environ, **{"server.port": port})


def _settings(there, tmp_path):
    return load_settings(
        {
            "JJM_HOME": str(tmp_path / "far"),
            "JJM_SERVER": there.address,
            "JJM_SERVER_KEY": there.key,
        }
    )


async def _there(there, work):
    """Do something with the service's own application, on its loop."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(there.app), there.loop))


def _lead(job: Job):
    async def work(app):
        await app.store.jobs.save_jobs([job])
        await app.store.leases.acquire(LEASE_NAME, "a worker", seconds=600)

    return work


def _says(*events: tuple[EventType, str, dict]):
    async def work(app):
        now = app.clock.now()
        await app.store.events.append(
            [NewEvent(type=t, subject=s, at=now, data=data) for t, s, data in events]
        )

    return work


async def _until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for is in a list that grows
        await asyncio.sleep(0.02)


async def test_each_event_once_over_a_restart(start, tmp_path):
    """What happened while the service was away is told after; the worker's word ends it."""
    service = start()
    there = await asyncio.to_thread(service.__enter__)
    await _there(there, _lead(READY))
    told: list[str] = []
    async with open_remote(_settings(there, tmp_path), clock=QuickClock()) as app:
        follow = QueueFollow(app, report=lambda progress: told.append(progress.text))
        async with asyncio.TaskGroup() as group, asyncio.timeout(60):
            running = group.create_task(follow.run())
            await _until(lambda: follow.is_listening)
            await _there(there, _says((EventType.FEEDBACK_SENT, "job:Task 1", {"number": 1})))
            await _until(lambda: told)
            await asyncio.to_thread(service.__exit__, None, None, None)
            await _until(lambda: any("cannot be reached" in text for text in told))
            service = start()
            there = await asyncio.to_thread(service.__enter__)
            await _there(there, _lead(replace(READY, status=JobStatus.DONE)))
            await _there(
                there,
                _says(
                    (EventType.MERGED, "job:Task 1", {"commit": "0123456789"}),
                    (EventType.TASK_UPDATED, "task:1", {}),
                    (EventType.QUEUE_DRAINED, "queue", {}),
                ),
            )
            assert Ended.DRAINED is await running
    await asyncio.to_thread(service.__exit__, None, None, None)
    assert ["sent back to Jules, round 1", "merged as 01234567"] == [
        text for text in told if "service" not in text
    ]
    assert "the service answers again" in told


async def test_it_can_be_stopped_while_it_waits(start, tmp_path):
    """With `watch` it goes on when nothing can move, until it is stopped."""
    service = start()
    there = await asyncio.to_thread(service.__enter__)
    await _there(there, _lead(READY))
    async with open_remote(_settings(there, tmp_path)) as app:
        follow = QueueFollow(app, report=lambda _: None, watch=True)
        async with asyncio.TaskGroup() as group, asyncio.timeout(60):
            running = group.create_task(follow.run())
            await _until(lambda: follow.is_listening)
            follow.stop()
            assert Ended.STOPPED is await running
    await asyncio.to_thread(service.__exit__, None, None, None)

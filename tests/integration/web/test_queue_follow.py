"""Following a queue that a service runs: each event once, over a restart, and an end that is one."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.cli.plan_desk import KeyDesk
from jules_job_manager.client.app import open_remote
from jules_job_manager.client.queue_follow import Ended, QueueFollow
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.orchestration import Snapshot, slots_used
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import OperationFailedError, PlanChangedError
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


PLAN = Plan(id="p1", steps=(PlanStep(id="s1", title="Read it"),))


def _asks(status: TaskStatus = TaskStatus.WAITING_APPROVAL):
    """Let a job wait for a person's word on the plan of a task that only the store knows."""

    async def work(app):
        waiting = replace(READY, status=JobStatus.NEEDS_YOU, task_id="7", reason="its plan waits")
        await _lead(waiting)(app)
        attempt = Attempt(
            mark="m", job_key="Task 1", number=1, state=AttemptState.LIVE, task_id="7"
        )
        await app.store.jobs.save_attempt(attempt)
        task = JulesTask(id="7", status=status, plan=PLAN, backend="simulator")
        await app.store.tasks.save_tasks([task])

    return work


async def test_a_plan_is_put_to_the_person_and_declined_there(start, tmp_path):
    """The board has the job, the slot and the question; the answer is the service's to keep."""
    service = start()
    there = await asyncio.to_thread(service.__enter__)
    await _there(there, _asks())
    told: list[str] = []
    shown: list[Snapshot] = []
    desk = KeyDesk()
    async with open_remote(_settings(there, tmp_path), clock=QuickClock()) as app:
        follow = QueueFollow(
            app, report=lambda p: told.append(p.text), show=shown.append, desk=desk
        )
        async with asyncio.TaskGroup() as group, asyncio.timeout(60):
            running = group.create_task(follow.run())
            await _until(desk.is_asking)
            assert PLAN == desk.current.plan
            assert 1 == slots_used(shown[-1])
            assert ["its plan waits"] == [job.reason for job in shown[-1].jobs]
            await _there(there, _says((EventType.QUEUE_DRAINED, "queue", {})))
            await _until(lambda: len(shown) > 3)
            assert not running.done()
            desk.press("n")
            await _until(lambda: told)
            await _there(there, _says((EventType.QUEUE_DRAINED, "queue", {})))
            assert Ended.DRAINED is await running
        assert "changed by a person: its plan was declined" in told
        assert not (await app.board()).questions
    (entry,) = await _there(there, _entries)
    assert {"declined_plan": PLAN.fingerprint} == entry.after["is"]
    await asyncio.to_thread(service.__exit__, None, None, None)


async def _entries(app):
    return [
        entry
        for entry in await app.store.audit.read(limit=50)
        if entry.operation == "api.decline_plan"
    ]


async def test_what_cannot_be_declined_is_told(start, tmp_path):
    """Another plan, or none that waits, is refused in a sentence, here as at the service."""
    service = start()
    there = await asyncio.to_thread(service.__enter__)
    await _there(there, _asks())
    async with open_remote(_settings(there, tmp_path)) as app:
        with pytest.raises(PlanChangedError, match="changed since it was shown"):
            await app.tasks.decline_plan("7", "0" * 64)
        await _there(there, _asks(TaskStatus.IN_PROGRESS))
        with pytest.raises(OperationFailedError, match="is not waiting for approval"):
            await app.tasks.decline_plan("7", PLAN.fingerprint)
    await asyncio.to_thread(service.__exit__, None, None, None)

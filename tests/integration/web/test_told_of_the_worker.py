"""What the service says of its own worker to whoever started it."""

from __future__ import annotations

import asyncio

import pytest

from jules_job_manager.adapters.storage.sql.failures import away
from jules_job_manager.bootstrap import service as module
from jules_job_manager.bootstrap.sandbox import NO_COMMANDS
from jules_job_manager.errors import ConfigurationError

pytestmark = pytest.mark.integration


class _Worker:
    """Stands by until it is stopped."""

    def __init__(self) -> None:
        self._end = asyncio.Event()

    def stop(self) -> None:
        """End."""
        self._end.set()

    async def stand_by(self) -> None:
        """Wait for the end."""
        await self._end.wait()


@pytest.fixture
def environ(environ):
    """A worker inside."""
    return {**environ, "JJM_SERVER__WORKER": "true"}


async def test_health_does_not_tell_where_the_database_is(service, monkeypatch):
    """It is for clients; who started the service reads it."""
    said, told = [], asyncio.Event()

    def say(text: str) -> None:
        said.append(text)
        if "not worked on" in text:
            told.set()

    def made(*_args, **_more):
        raise away("postgresql://db.example/jjm", OSError("no"))

    monkeypatch.setattr(module, "queue_worker", made)
    service.say = say
    async with service.running(), asyncio.timeout(30):
        await told.wait()
        found = await service.look_at_worker()
    assert "db.example" in said[-1]
    assert "The database cannot be reached." == found.message


async def test_what_keeps_the_queue_from_being_worked_on(service, monkeypatch):
    """Each problem once, however often it is tried; and that it is over. So with missing checks."""
    said, over = [], asyncio.Event()
    outcomes = iter(["no way", "no way", "another", "another", None])

    def say(text: str) -> None:
        said.append(text)
        if "again" in text:
            over.set()

    def made(*_args, **_more):
        problem = next(outcomes)
        if problem:
            raise ConfigurationError(problem)
        return _Worker()

    monkeypatch.setattr(module, "queue_worker", made)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.0)
    service.say = say
    async with service.running(), asyncio.timeout(30):
        await over.wait()
    assert [
        f"warning: {NO_COMMANDS}",
        "warning: the queue is not worked on: no way",
        "warning: the queue is not worked on: another",
        "The queue is worked on again.",
    ] == said

"""A store with a dispatcher, and workers on it: in this process and in others that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.environment import bare_environment

from jules_job_manager.adapters.dispatch.local import LocalDispatcher
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.dispatcher import Dispatcher
from jules_job_manager.ports.review_queue import ReviewRun

POLL_SECONDS = 0.5
NEVER_SECONDS = 3600.0
"""Between two looks for runs without a ticket: tests of PgQueuer must not pass without it."""
HEARTBEAT_SECONDS = 1.0
SOON = 30.0
"""Longest wait for anything, in seconds."""


def run_of(number: int) -> ReviewRun:
    return ReviewRun(
        job_key="a", mark=f"m{number}", delivered_commit=f"d{number}", branch="b", base_commit="c"
    )


class Worker:
    """Works on runs as a review worker does: claims, keeps a review."""

    def __init__(
        self, world: World, name: str, *, claim_seconds: float = 60, may_look: bool = True
    ) -> None:
        """Claim runs of `world`; without `may_look` only those whose ticket comes."""
        self._queue = world.store.review_queue
        self._name = name
        self._claim_seconds = claim_seconds
        self._may_look = may_look
        self.begun: list[str] = []
        self.done: list[str] = []
        self.stopped: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self._changed = asyncio.Condition()

    async def handle(self, run_id: str) -> bool:
        if not run_id and not self._may_look:
            return False
        try:
            run = await self._queue.claim(self._name, seconds=self._claim_seconds, run_id=run_id)
        except StoreError:
            return False
        if run is None:
            return False
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await self._note(self.begun, run.mark)
        try:
            await self.may_finish.wait()
        except asyncio.CancelledError:
            await self._queue.put_back(run, seconds=0, error="", failed=False)
            await self._note(self.stopped, run.mark)
            raise
        finally:
            self.at_once -= 1
        review = Review(
            job_key="a", mark=run.mark, delivered_commit=run.delivered_commit,
            base_commit="c", verdict=Verdict.ACCEPT, at=datetime.now(UTC),
        )  # fmt: skip
        if await self._queue.finish(run, [review]):
            await self._note(self.done, run.mark)
        return True

    async def _note(self, where: list[str], mark: str) -> None:
        async with self._changed:
            where.append(mark)
            self._changed.notify_all()

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON), self._changed:
            await self._changed.wait_for(holds)


class World:
    """What the tests stand on."""

    def __init__(self, kind: str, database: str, path: Path, url: str, server) -> None:
        self.kind, self.database, self.path, self.url, self.server = (
            kind, database, path, url, server,
        )  # fmt: skip
        self.look_seconds = NEVER_SECONDS

    async def open(self) -> None:
        self.store = await open_store(
            kind=self.database, data_path=self.path, database_url=self.url, fallback="error",
            clock=SystemClock(),
        )  # fmt: skip
        self.dispatcher = self.make_dispatcher()
        await self.store.jobs.save_jobs([Job(key="a", prompt="p")])

    async def aclose(self) -> None:
        await self.store.aclose()

    def make_dispatcher(self) -> Dispatcher:
        """Return one more dispatcher, as another program has it."""
        queue = self.store.review_queue
        if self.kind == "local":
            return LocalDispatcher(queue, poll_seconds=POLL_SECONDS)
        from jules_job_manager.adapters.dispatch.pgqueuer import PgQueuerDispatcher

        made = PgQueuerDispatcher(
            self.store.engine, queue, poll_seconds=self.look_seconds,
            heartbeat_seconds=HEARTBEAT_SECONDS, reconnect_seconds=0.2,
        )  # fmt: skip
        queue.announce = made.announce
        return made

    @contextlib.asynccontextmanager
    async def working(
        self, worker: Worker, *, dispatcher: Dispatcher | None = None, at_once: int = 2
    ) -> AsyncIterator[None]:
        dispatcher = dispatcher or self.dispatcher
        work = asyncio.ensure_future(dispatcher.work(worker.handle, at_once=at_once))
        try:
            yield
            assert not work.done(), work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def doomed_process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Yield a worker process that has begun a run and will never say that it lives."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.contract.dispatch.doomed", self.kind, self.database,
            str(self.path), self.url, stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3], env=bare_environment(),
        )  # fmt: skip
        try:
            async with asyncio.timeout(SOON):
                assert b"begun\n" == await process.stdout.readline()
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

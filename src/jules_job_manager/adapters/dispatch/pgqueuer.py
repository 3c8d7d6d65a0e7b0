"""Dispatch between machines with PgQueuer on PostgreSQL.

A ticket (a job of PgQueuer) is written in the transaction that adds the run and names it. Tickets
are delivered at least once; the run itself is claimed in its row. A ticket stays until its run is
gone: the ticket of a dead worker is given to another by PgQueuer's heartbeat, and comes back when
the claim of its run has run out. Runs without a ticket are found by looking, now and then.

Source: PgQueuer 1.6.0, its package (core/qm.py, adapters/persistence/queries.py), read 2026-11.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import sqlalchemy as sa
from pgqueuer import Job, Queries, QueueManager, RetryRequested
from pgqueuer.errors import PgqException
from pgqueuer.models import Context
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.dispatch.local import LocalDispatcher
from jules_job_manager.adapters.dispatch.pgqueuer_names import CHANNEL, QUEUE_TABLE, queries_on
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.dispatcher import Handle
from jules_job_manager.ports.review_queue import ReviewQueue, ReviewRun

_LOG = logging.getLogger(__name__)
_AWAY = (
    asyncpg.PostgresError, asyncpg.InterfaceError, sa.exc.DBAPIError, OSError, TimeoutError,
    PgqException,
    RuntimeError,  # what PgQueuer raises when its tables are missing
)  # fmt: skip
ENTRYPOINT = "review"
POLL_SECONDS = 15.0
"""Time between two looks for runs whose ticket was lost."""
HEARTBEAT_SECONDS = 20.0
"""After so long without a sign of life the tickets of a worker are given to others."""
LISTEN_SECONDS = 5.0
"""Longest time between two looks for tickets. PgQueuer notifies of new ones, not of those that come
back, nor of those of dead workers."""
RECONNECT_SECONDS = 5.0
STOP_SECONDS = 10.0
"""Longest wait for tickets to be given back when the work ends."""
_INSTALL_LOCK = "SELECT pg_advisory_xact_lock(7260911)"


class PgQueuerDispatcher:
    """The Dispatcher port on PgQueuer."""

    def __init__(
        self,
        engine: AsyncEngine,
        queue: ReviewQueue,
        *,
        poll_seconds: float = POLL_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        reconnect_seconds: float = RECONNECT_SECONDS,
    ) -> None:
        """Pass on the runs of `queue`, whose rows lie in the database of `engine`.

        `queue` must call `announce` inside the transaction that adds a run.
        """
        self._engine = engine
        self._queue = queue
        self._heartbeat = timedelta(seconds=heartbeat_seconds)
        self._reconnect_seconds = reconnect_seconds
        self._looking = LocalDispatcher(queue, poll_seconds=poll_seconds)
        self._is_ready = False

    async def announce(self, connection: AsyncConnection, run_id: str) -> None:
        """Write the ticket of a run in the transaction of `connection`.

        When that fails the run is added all the same, and found by looking.
        """
        raw = await _driver_connection(connection)
        try:
            async with raw.transaction():  # a savepoint: the run's transaction has begun
                await queries_on(raw).enqueue(
                    ENTRYPOINT, run_id.encode(), dedupe_key=run_id, on_conflict="skip"
                )
        except _AWAY as exc:
            _LOG.warning("no ticket for %s: %s", run_id, exc, extra={"action": "dispatch"})

    async def enqueue(self, run: ReviewRun) -> bool:
        """Add a run and, in the same transaction, its ticket; False when it is there already."""
        with suppress(*_AWAY):  # then there is no ticket
            await self._prepare()
        return await self._queue.enqueue(run)

    async def cancel(self, marks: Sequence[str]) -> int:
        """Remove the runs and their tickets; workers on any machine are told to stop."""
        found = [run.id for run in await self._queue.active() if run.mark in marks]
        removed = await self._queue.remove(marks)
        with suppress(*_AWAY):  # then they stop when they next say that they live
            await self._prepare()
            async with self._raw() as raw:
                rows = await raw.fetch(
                    f"SELECT id FROM {QUEUE_TABLE} WHERE dedupe_key = ANY($1::text[])",  # noqa: S608
                    found,
                )
                if rows:
                    await queries_on(raw).mark_job_as_cancelled([row["id"] for row in rows])
        return removed

    async def work(self, handle: Handle, *, at_once: int) -> None:
        """Have runs handled until cancelled."""
        slots = asyncio.Semaphore(at_once)

        async def handle_in_slot(run_id: str) -> bool:
            async with slots:
                return await handle(run_id)

        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._looking.work(handle_in_slot, at_once=at_once))
            parts.create_task(self._follow_tickets(handle_in_slot, at_once))

    async def _follow_tickets(self, handle: Handle, at_once: int) -> None:
        """Take tickets for ever, on a new connection whenever the last one was lost."""
        was_away = False
        while True:
            try:
                await self._prepare()
                async with self._raw(lasting=True) as raw:
                    was_away = False
                    await _Tickets(self._queue, raw, handle, self._heartbeat).take(at_once)
            except _AWAY as exc:
                self._is_ready = False
                level = logging.DEBUG if was_away else logging.WARNING
                _LOG.log(level, "tickets cannot be taken: %s", exc, extra={"action": "dispatch"})
                was_away = True
            await asyncio.sleep(self._reconnect_seconds)

    async def _prepare(self) -> None:
        """Install PgQueuer's tables, or bring them up to date, once."""
        if self._is_ready:
            return
        async with self._raw() as raw:
            queries = queries_on(raw)
            async with raw.transaction():
                await raw.execute(_INSTALL_LOCK)
                was_there = await queries.schema_is_installed()
                if not was_there:
                    await queries.install()
            if was_there:
                await queries.upgrade()
        self._is_ready = True

    @asynccontextmanager
    async def _raw(self, *, lasting: bool = False) -> AsyncIterator[Any]:
        """Yield a connection of the driver; a `lasting` one, which listens, is closed after use."""
        async with self._engine.connect() as connection:
            raw = await _driver_connection(connection)
            try:
                yield raw
            finally:
                if lasting:
                    with suppress(*_AWAY):
                        await connection.invalidate()


class _Tickets:
    """Takes tickets on one connection, as long as that lasts."""

    def __init__(self, queue: ReviewQueue, raw: Any, handle: Handle, heartbeat: timedelta) -> None:
        self._queue = queue
        self._raw = raw
        self._handle = handle
        self._heartbeat = heartbeat
        self._queries: Queries = queries_on(raw)
        self._manager = QueueManager(self._queries, channel=CHANNEL)
        self._manager.entrypoint(ENTRYPOINT, accepts_context=True)(self._one)
        self._stopping = False

    async def take(self, at_once: int) -> None:
        """Take tickets until the connection is lost or this is cancelled.

        Raises:
            one of `_AWAY`: the connection was lost.
        """
        await self._queries.clear_queue_log(ENTRYPOINT)  # nobody reads it
        self._raw.add_termination_listener(lambda _: self._manager.shutdown.set())
        run = asyncio.ensure_future(
            self._manager.run(
                dequeue_timeout=timedelta(seconds=LISTEN_SECONDS),
                batch_size=1,  # what is waiting here could be at work elsewhere
                max_concurrent_tasks=max(at_once, 2),  # PgQueuer wants twice the batch
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._heartbeat,
                log_aggregation_interval=timedelta(0),
            )
        )
        try:
            await asyncio.wait({run})
        finally:
            await self._stop(run)
        run.result()

    async def _stop(self, run: asyncio.Future[None]) -> None:
        """Let what is in hand be cancelled and its tickets be given back."""
        self._stopping = True
        self._manager.shutdown.set()
        for context in list(self._manager.job_context.values()):
            context.cancellation.cancel()
        if not run.done():
            await asyncio.wait({run}, timeout=STOP_SECONDS)
        if not run.done():
            self._raw.terminate()
            run.cancel()
            await asyncio.wait({run}, timeout=STOP_SECONDS)

    async def _one(self, job: Job, context: Context) -> None:
        """Have the run of a ticket handled; the ticket comes back as long as the run is there.

        Raises:
            RetryRequested: the run is there still: another worker has it, or it failed.
        """
        run_id = (job.payload or b"").decode()
        work = asyncio.ensure_future(self._handled(run_id))
        try:
            with context.cancellation:
                await asyncio.wait({work})
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if work.cancelled() and self._stopping:
            raise RetryRequested(reason="the worker stops")
        if work.cancelled():
            return  # the run was cancelled
        pause = work.result()
        if pause is not None:
            raise RetryRequested(timedelta(seconds=max(pause, 1.0)), reason="the run is there")

    async def _handled(self, run_id: str) -> float | None:
        """Return after how many seconds the run is due again; None when it is over."""
        try:
            pause = await self._queue.due_in(run_id)
            if pause is None or pause > 0:
                return pause
            await self._handle(run_id)
            return await self._queue.due_in(run_id)
        except StoreError:
            return RECONNECT_SECONDS


async def _driver_connection(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection

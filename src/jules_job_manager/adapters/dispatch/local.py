"""Dispatch within one program: what it adds wakes its workers; all else is found by looking."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from jules_job_manager.ports.dispatcher import Handle
from jules_job_manager.ports.review_queue import ReviewQueue, ReviewRun

POLL_SECONDS = 5.0
"""Time between two looks for runs that nobody told of."""


class LocalDispatcher:
    """The Dispatcher port without any server."""

    def __init__(self, queue: ReviewQueue, *, poll_seconds: float = POLL_SECONDS) -> None:
        """Pass on the runs of `queue`, looking every `poll_seconds`, > 0."""
        self._queue = queue
        self._poll_seconds = poll_seconds
        self._news = asyncio.Event()

    async def enqueue(self, run: ReviewRun) -> bool:
        """Add a run and wake the workers of this program; False when it is there already."""
        added = await self._queue.enqueue(run)
        if added:
            self._news.set()
        return added

    async def cancel(self, marks: Sequence[str]) -> int:
        """Remove the runs; who works on one stops when it next says that it lives."""
        return await self._queue.remove(marks)

    async def work(self, handle: Handle, *, at_once: int) -> None:
        """Have runs handled until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(self._work(handle))

    async def _work(self, handle: Handle) -> None:
        while True:
            self._news.clear()
            if await handle(""):
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._news.wait()

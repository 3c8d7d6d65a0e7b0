"""Reads that many ask for at the same time are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

R = TypeVar("R")


class SharedReads(Generic[R]):
    """Answers all who ask for the same by one read, which begins after each of them asked.

    So nobody is told what was so before they asked, as a cache might tell them. While a read is
    under way, those who ask for the same meanwhile wait for the next; there are never more than
    these two for a key, however many ask.
    """

    def __init__(self) -> None:
        """Share nothing yet."""
        self._next: dict[Hashable, asyncio.Task[R]] = {}
        self._running: dict[Hashable, asyncio.Task[R]] = {}

    async def read(self, key: Hashable, work: Callable[[], Awaitable[R]]) -> R:
        """Return what `work` returns, or raise what it raises.

        It is the work of whoever asked first. Who is cancelled takes nobody's answer away.
        """
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.ensure_future(self._begin(key, work))
        return await asyncio.shield(task)

    async def _begin(self, key: Hashable, work: Callable[[], Awaitable[R]]) -> R:
        running = self._running.get(key)
        if running is not None:
            await asyncio.wait([running])
        task = self._running[key] = self._next.pop(key)
        try:
            return await work()
        finally:
            if self._running.get(key) is task:
                del self._running[key]

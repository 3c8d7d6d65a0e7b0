"""Reads in the event loop itself, as long as they are quick; else in a thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from jules_job_manager.adapters.storage.instant import BUSY_SECONDS
from jules_job_manager.adapters.storage.reading.thread import ReadingThread

T = TypeVar("T")
R = TypeVar("R")
SLOW_SECONDS = 0.020
"""A read that takes longer says that the disk, and no cache, answers."""
APART_SECONDS = 10.0
"""After a slow read the thread reads for so long."""


class NearReads(Generic[T]):
    """Runs short reads of SQLite where they are asked for, without crossing to another thread.

    Reading a row takes some ten microseconds; to hand it to a thread and back takes ten times as
    long, and more when many ask, because both threads want the interpreter (ADR 0022). What a disk
    must be waited for would hold up everybody, so after one slow read the thread reads for a while.
    """

    def __init__(
        self,
        *,
        open: Callable[[float], T],  # noqa: A002
        close: Callable[[T], None],
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet.

        Args:
            open: Makes the resource; given how many seconds it may wait for a lock. Called once for
                the loop and once for the thread, each in its own.
            close: Lets go of it.
            name: The thread's.
            clock: Seconds that only grow.
        """
        self._open, self._close, self._clock = open, close, clock
        self._thread = ReadingThread(open=lambda: open(BUSY_SECONDS), close=close, name=name)
        self._near: T | None = None
        self._apart_until = 0.0
        self._is_closed = False

    async def run(self, work: Callable[[T], R], *, is_short: bool = True) -> R:
        """Return what `work` returns, or raise what it, or opening, raises.

        Args:
            work: Reads something.
            is_short: Whether it reads few rows, found by an index.

        Raises:
            StoreUnavailableError: it is closed.
        """
        began = self._clock()
        if not is_short or self._is_closed or began < self._apart_until:
            return await self._thread.run(work)
        try:
            if self._near is None:
                self._near = self._open(0.0)
            found = work(self._near)
        except sqlite3.OperationalError:  # locked: whoever waits for it waits in the thread
            self._apart_until = began + APART_SECONDS
            return await self._thread.run(work)
        ended = self._clock()
        if ended - began > SLOW_SECONDS:
            self._apart_until = ended + APART_SECONDS
        return found

    async def aclose(self) -> None:
        """Finish what was asked for and let go. Safe to call twice."""
        self._is_closed = True
        near, self._near = self._near, None
        if near is not None:
            self._close(near)
        await self._thread.aclose()

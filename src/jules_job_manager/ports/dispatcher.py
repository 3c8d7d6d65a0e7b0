"""Brings review runs to the workers that are to run them.

The rows of `ReviewQueue` are the truth: whatever a dispatcher delivers late, twice or not at all,
a run is claimed by one worker at a time, and workers also look for runs that nobody told them of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from jules_job_manager.ports.review_queue import ReviewRun

Handle = Callable[[str], Awaitable[bool]]
"""Claims the run of this id (of an empty id: the one due longest) and works on it; False: none."""


class Dispatcher(Protocol):
    """Passes runs on, within one program or between machines."""

    async def enqueue(self, run: ReviewRun) -> bool:
        """Add a run and tell workers of it; False when it is there already.

        Raises:
            StoreUnavailableError: the store is away; nothing was added.
        """
        ...

    async def cancel(self, marks: Sequence[str]) -> int:
        """Remove the runs of these attempts, also those at work; return how many there were.

        Raises:
            StoreUnavailableError: the store is away.
        """
        ...

    async def work(self, handle: Handle, *, at_once: int) -> None:
        """Have runs handled until cancelled, whatever becomes of the database meanwhile.

        When cancelled, what is in hand is cancelled, and this ends after it.

        Args:
            handle: Claims a run and works on it. It deals with its own failures.
            at_once: Runs handled side by side, >= 1.
        """
        ...

"""One event loop in a background thread, shared by every synchronous object that is alive.

The asynchronous parts hold locks and connections of one loop, and a `JobManager` uses the parts
of its `MCPClient` and `Storage`; so they must all live on the same one. It starts with the first
object and ends with the last.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")

_GUARD = threading.Lock()
_running: tuple[AbstractContextManager[BlockingPortal], BlockingPortal] | None = None
_users = 0


class Synchronous:
    """An object whose work runs on the shared loop. Usable with `with`; otherwise call `close`."""

    def __init__(self) -> None:
        """Start the loop when nobody uses it yet. What is never closed is closed at exit."""
        global _running, _users  # noqa: PLW0603 (shared on purpose, see the module)
        with _GUARD:
            if _running is None:
                manager = start_blocking_portal("asyncio", name="jules-job-manager")
                _running = manager, manager.__enter__()
            _users += 1
            self._portal: BlockingPortal | None = _running[1]
        atexit.register(self.close)

    def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` on the loop and return what it returns; an interruption here cancels it there.

        Raises:
            RuntimeError: the object was closed.
        """
        if self._portal is None:
            raise RuntimeError("This object was closed; make a new one.")
        future = self._portal.start_task_soon(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _release(self) -> None:
        """Let go of what was opened, on the loop."""

    def close(self) -> None:
        """Let go of processes, connections and files. Safe to call twice."""
        global _running, _users  # noqa: PLW0603
        if self._portal is None:
            return
        try:
            self._run(self._release)
        finally:
            atexit.unregister(self.close)
            with _GUARD:
                self._portal = None
                _users -= 1
                if _users == 0 and _running is not None:
                    manager, _running = _running[0], None
                    manager.__exit__(None, None, None)

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

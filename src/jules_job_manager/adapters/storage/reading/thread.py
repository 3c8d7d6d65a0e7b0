"""One thread that reads for many: what is asked for at once crosses over to it and back at once."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from jules_job_manager.errors import StoreUnavailableError

T = TypeVar("T")
R = TypeVar("R")
_Asked = tuple[Callable[[T], Any], "asyncio.Future[Any]"]


class ReadingThread(Generic[T]):
    """Runs functions on a resource that belongs to a thread of its own.

    Waking a thread, and the loop again, costs more than reading a row. So all that the loop asks for
    in one round is handed over together, and answered together.
    """

    def __init__(self, *, open: Callable[[], T], close: Callable[[T], None], name: str) -> None:  # noqa: A002
        """Start nothing yet.

        Args:
            open: Makes the resource, in the thread; tried again with each round until it succeeds.
            close: Lets go of it, in the thread.
            name: The thread's.
        """
        self._open = open
        self._close = close
        self._asked: list[_Asked[T]] = []
        self._rounds: queue.SimpleQueue[list[_Asked[T]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._is_closed = False

    async def run(self, work: Callable[[T], R]) -> R:
        """Return what `work` returns, or raise what it, or opening, raises.

        Raises:
            StoreUnavailableError: it is closed.
        """
        if self._is_closed:
            raise StoreUnavailableError("The store is closed.", hint="The service is stopping.")
        if self._thread.ident is None:
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        if not self._asked:
            loop.call_soon(self._hand_over)
        self._asked.append((work, future))
        return await future

    async def aclose(self) -> None:
        """Finish what was asked for and end the thread. Safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._thread.ident is not None:
            self._hand_over()
            self._rounds.put(None)
            await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        asked, self._asked = self._asked, []
        if asked:
            self._rounds.put(asked)

    def _work(self) -> None:
        resource: T | None = None
        while (asked := self._rounds.get()) is not None:
            answers: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
            for work, future in asked:
                try:
                    if resource is None:
                        resource = self._open()
                    answers.append((future, work(resource), None))
                except BaseException as exc:  # noqa: BLE001 - it is raised where it was asked for
                    answers.append((future, None, exc))
            with suppress(RuntimeError):  # the loop is gone, and all who wait with it
                asked[0][1].get_loop().call_soon_threadsafe(_settle, answers)
        if resource is not None:
            self._close(resource)


def _settle(answers: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, answer, failure in answers:
        if future.done():  # cancelled
            continue
        if failure is None:
            future.set_result(answer)
        else:
            future.set_exception(failure)

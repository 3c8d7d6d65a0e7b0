"""Stopping in two stages: the first signal lets what is in hand be finished, the second does not."""

from __future__ import annotations

import asyncio
import contextlib
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jules_job_manager.cli.context import Context

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def woken_by_hangup(wake: Callable[[], None]) -> Iterator[None]:
    """Call `wake` at each SIGHUP, which would end the program otherwise.

    Must be entered on a running event loop.
    """
    loop = asyncio.get_running_loop()
    has_handler = False
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError, AttributeError):
        loop.add_signal_handler(signal.SIGHUP, wake)  # not on Windows, nor off the main thread
        has_handler = True
    try:
        yield
    finally:
        if has_handler:
            loop.remove_signal_handler(signal.SIGHUP)


@contextlib.contextmanager
def stopped_by_signals(context: Context, stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Call `stop` at the first SIGINT or SIGTERM, and cancel this task at the second.

    Must be entered on a running event loop. Yields a function that tells whether a signal came.
    """
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    came = 0

    def handle() -> None:
        nonlocal came
        came += 1
        if came == 1:
            context.note("Stopping after what is in hand; once more to stop at once.")
            stop()
        elif task is not None:
            task.cancel()

    handled = []
    for number in SIGNALS:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, handle)  # not on Windows, nor off the main thread
            handled.append(number)
    try:
        yield lambda: came > 0
    except asyncio.CancelledError:
        if came < 2:
            raise
        raise KeyboardInterrupt from None
    finally:
        for number in handled:
            loop.remove_signal_handler(number)

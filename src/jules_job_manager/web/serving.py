"""Uvicorn, as a service with live streams needs it."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable

import uvicorn

COLLECT_AT = (5000, 20, 50)
"""Objects, and rounds of the younger generations, after which garbage is looked for. Python's own
numbers are 700, 10 and 10. Source: docs.python.org/3/library/gc.html, read 2026-11."""


class Server(uvicorn.Server):
    """A server that says when it begins to stop.

    Uvicorn first waits for every answer to end and then tells the application that it stops; a live
    stream has no end of its own, so it must be told before.
    """

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        """Take `on_stop`, which is called once, before anything is waited for."""
        super().__init__(config)
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer.

        What is there by then (modules, routes, their models) stays until the end; looking through it
        for garbage again and again stops the process for 100 ms each time, so it is left out. A
        thousand open streams are as much again, so all that lives long is looked through less often.
        """
        await super().startup(sockets=sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AT)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell it, then stop as uvicorn does."""
        self._on_stop()
        await super().shutdown(sockets)

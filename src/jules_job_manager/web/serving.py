"""Uvicorn, as a service with live streams needs it."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

COLLECT_AT = (5000, 20, 50)
"""Objects, and rounds of the younger generations, after which garbage is looked for. Python's own
numbers are 700, 10 and 10. Source: docs.python.org/3/library/gc.html, read 2026-11."""


class _Sockets(WebSocketsSansIOProtocol):
    """WebSockets of which one may be refused with an answer: uvicorn takes that for a broken program."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send; an answer that refuses, once it is whole, is the end of the handshake."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True


class Server(uvicorn.Server):
    """A server that says when it begins to stop.

    Uvicorn first waits for every answer to end and then tells the application that it stops; a live
    stream has no end of its own, so it must be told before.
    """

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        """Take `on_stop`, which is called once, before anything is waited for."""
        config.ws = _Sockets
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

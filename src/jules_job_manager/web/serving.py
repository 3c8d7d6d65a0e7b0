"""Uvicorn, with a word to live streams before it waits for their end."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn


class Server(uvicorn.Server):
    """A server that says when it begins to stop.

    Uvicorn first waits for every answer to end and then tells the application that it stops; a live
    stream has no end of its own, so it must be told before.
    """

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        """Take `on_stop`, which is called once, before anything is waited for."""
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell it, then stop as uvicorn does."""
        self._on_stop()
        await super().shutdown(sockets)

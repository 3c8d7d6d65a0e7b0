"""A real server on a real store, with live events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from tests.ready_store import put_ready_store
from tests.waiting import until

from jules_job_manager.adapters.bus.local import LocalBus
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.errors import InvalidInputError, JulesManagerError
from jules_job_manager.services.announcing import Announcer
from jules_job_manager.services.live import LiveEvents, LivePolicy
from jules_job_manager.web.live import live_router
from jules_job_manager.web.serving import Server

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, JulesManagerError)
    status = 400 if isinstance(error, InvalidInputError) else 503
    return JSONResponse(error.to_dict(), status)


class World:
    """The store, and the server in front of it, which may be stopped and started again."""

    def __init__(
        self, store, live_policy=None, stream_policy=None, recheck=None, dependencies=()
    ) -> None:
        self.store = store
        self._dependencies = dependencies
        self.bus = LocalBus()
        self._recheck = recheck
        self._policies = (live_policy, stream_policy)
        self._stack = contextlib.AsyncExitStack()
        self._next = 0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    async def start(self) -> None:
        live_policy, stream_policy = self._policies
        self.live = LiveEvents(
            log=self.store.events, bus=self.bus, policy=live_policy or LivePolicy(poll_seconds=0.5)
        )
        app = FastAPI()
        app.add_exception_handler(JulesManagerError, _refused)
        app.include_router(
            live_router(
                self.live, stream_policy, recheck=self._recheck, dependencies=self._dependencies
            )
        )
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="warning", lifespan="off",
            timeout_graceful_shutdown=20, backlog=4096,
        )  # fmt: skip
        self.server = Server(config, on_stop=self.live.stop)
        self._running = asyncio.gather(self.live.run(), self.server.serve())
        await until(lambda: self.server.started)

    async def stop(self) -> None:
        self.server.should_exit = True
        async with asyncio.timeout(30):
            await self._running

    async def write(self, count: int, **fields) -> None:
        for _ in range(count):
            data = {"n": self._next, **fields.get("data", {})}
            event = NewEvent(type=fields.get("type", "t"), subject=fields.get("subject", "task:1"),
                             at=NOW, data=data)  # fmt: skip
            await self.store.events.append([event])
            self._next += 1


@contextlib.asynccontextmanager
async def world(tmp_path, **policies):
    store = await open_store(
        kind="sqlite", data_path=put_ready_store(tmp_path / "jjm.db"), database_url="", fallback="error",
        clock=SystemClock(),
    )  # fmt: skip
    made = World(store, **policies)
    try:
        async with Announcer(log=store.events, bus=made.bus).running():
            await made.start()
            try:
                yield made
            finally:
                if not made.live.is_stopped:
                    await made.stop()
    finally:
        await store.aclose()


class Stream:
    """An SSE client over a plain socket, which reads only when it is asked to."""

    def __init__(self, world: World, query: str = "", last: str | None = None) -> None:
        self._world, self._query, self.last = world, query, last
        self.retry = 0
        self.names: list[str] = []

    async def connect(self) -> int:
        """Return the status."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._world.port)
        header = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        self._writer.write(
            f"GET /events/stream?{self._query} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        self._blocks = self._read_blocks()
        return int(head.split()[1])

    def blocks(self):
        """Return the SSE blocks, each a mapping of its fields, to the end of the answer."""
        return self._blocks

    async def _read_blocks(self):
        text = b""
        while True:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            text += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
            if size == 0:
                return
            while b"\n\n" in text:
                block, _, text = text.partition(b"\n\n")
                yield dict(line.split(": ", 1) for line in block.decode().split("\n"))

    async def take(self, count: int) -> list[int]:
        """Return the numbers of the next events."""
        found: list[int] = []
        async for block in self._blocks:
            self.last = block.get("id", self.last)
            self.retry = int(block.get("retry", self.retry))
            if "data" in block:
                self.names.append(block.get("event", ""))
                found.append(json.loads(block["data"])["data"]["n"])
                if len(found) == count:
                    break
        return found

    async def leave(self) -> None:
        await self._blocks.aclose()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

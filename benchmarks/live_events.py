"""From a written event to a thousand clients, beside a bare broadcast of the same bytes.

    python benchmarks/live_events.py [--clients 1000] [--events 50] [--every-ms 200]

A server in a process of its own: the real routes on a SQLite store, and beside them a plain TCP
server that writes the same bytes to every connection. The clients are in this process; both are fed
in turn, so that they meet the same machine. Printed: time from before the write to each client's
read, p50 and p99, the ratio of the p99s, and the server's memory for each client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import socket
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from jules_job_manager.adapters.bus.local import LocalBus
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.services.announcing import Announcer
from jules_job_manager.services.live import LiveEvents
from jules_job_manager.web.live import live_router
from jules_job_manager.web.serving import Server

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.waiting import until

AIM = 4.0
"""Most times the p99 of the bare broadcast."""
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def memory_now() -> int:
    """Return the bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


async def serve(port: int, bare_port: int) -> None:
    """Be the server; commands come on stdin, one a line."""
    writers: set[asyncio.StreamWriter] = set()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(asyncio.CancelledError):  # at the end of it all
            await reader.read()
        writers.discard(writer)

    with tempfile.TemporaryDirectory() as home:
        store = await open_store(
            kind="sqlite", data_path=Path(home) / "jjm.db", database_url="", fallback="error",
            clock=SystemClock(),
        )  # fmt: skip
        bus = LocalBus()
        live = LiveEvents(log=store.events, bus=bus)
        app = FastAPI()
        app.include_router(live_router(live))
        config = uvicorn.Config(app, port=port, log_level="error", lifespan="off", backlog=4096)
        server = Server(config, on_stop=live.stop)
        bare = await asyncio.start_server(join, "127.0.0.1", bare_port, backlog=4096)

        async def command(words: list[str]) -> None:
            data = {"t": time.monotonic_ns(), "from": "in_progress", "to": "completed"}
            if words[0] == "live":
                event = NewEvent(type="task_state_changed", subject="task:1", at=NOW, data=data)
                await store.events.append([event])
            elif words[0] == "bare":
                text = json.dumps({"id": 1, "type": "task_state_changed", "data": data})
                for writer in tuple(writers):
                    writer.write(f"id: 1\ndata: {text}\n\n".encode())
            elif words[0] == "memory":
                print(memory_now(), flush=True)

        async with Announcer(log=store.events, bus=bus).running(), asyncio.TaskGroup() as group:
            group.create_task(live.run())
            serving = group.create_task(server.serve())
            await until(lambda: server.started)
            print("ready", flush=True)
            reader = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
            )
            while line := await reader.readline():
                await command(line.decode().split())
            server.should_exit = True
            await serving
        bare.close()
        await store.aclose()


class Client:
    """Reads until it is told to stop, and notes how old each event is."""

    def __init__(self) -> None:
        self.ages_ms: list[float] = []

    async def connect(self, port: int, hello: bytes) -> None:
        """Connect; with a hello, wait for the answer's head."""
        self._reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        if hello:
            self.writer.write(hello)
            await self._reader.readuntil(b"retry")

    async def follow(self) -> None:
        """Read on."""
        while line := await self._reader.readline():
            at = line.find(b'"t":')
            if at >= 0:
                sent = int(line[at + 4 :].strip().split(b",")[0])
                self.ages_ms.append((time.monotonic_ns() - sent) / 1e6)


def tell(found: dict[str, list[Client]], wanted: int) -> None:
    """Print how old events were when they came, and the ratio."""
    p99 = {}
    for kind, some in found.items():
        ages = sorted(age for client in some for age in client.ages_ms)
        assert len(ages) == wanted, f"{len(ages)} of {wanted} came"
        p99[kind] = ages[int(0.99 * len(ages))]
        print(
            f"{kind}: {len(some)} clients, p50 {statistics.median(ages):.1f} ms, p99 {p99[kind]:.1f} ms"
        )
    ratio = p99["live"] / p99["bare"]
    print(
        f"p99 live / bare: {ratio:.2f} (aim: at most {AIM:g}) {'ok' if ratio <= AIM else 'NOT MET'}"
    )


async def measure(clients: int, events: int, every_ms: float) -> None:
    """Run the server and print the figures."""
    port, bare_port = free_port(), free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", str(port), str(bare_port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    await server.stdout.readline()

    async def memory() -> int:
        server.stdin.write(b"memory\n")  # type: ignore[union-attr]
        return int(await server.stdout.readline())  # type: ignore[union-attr]

    hello = b"GET /events/stream HTTP/1.1\r\nHost: x\r\n\r\n"
    groups = {"bare": (bare_port, b""), "live": (port, hello)}
    before = await memory()
    found: dict[str, list[Client]] = {}
    for kind, (where, word) in groups.items():
        found[kind] = [Client() for _ in range(clients)]
        for client in found[kind]:
            await client.connect(where, word)
        if kind == "bare":
            before = await memory()
    each = (await memory() - before) / clients
    tasks = [asyncio.create_task(c.follow()) for some in found.values() for c in some]
    for number in range(events):
        for kind in groups:
            server.stdin.write(kind.encode() + b"\n")
            await asyncio.sleep(every_ms / 1000)
            if number == 0:  # a warm-up
                await asyncio.sleep(2)
                for client in found[kind]:
                    client.ages_ms.clear()
    await asyncio.sleep(1)
    tell(found, clients * (events - 1))
    print(f"server memory for each live client: {each / 1024:.0f} KiB")
    for task in tasks:
        task.cancel()
    server.stdin.close()
    await server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--every-ms", type=float, default=200)
    parser.add_argument("--serve", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(*given.serve))
    else:
        asyncio.run(measure(given.clients, given.events, given.every_ms))

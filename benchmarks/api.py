"""The API under load, as a ratio to a bare FastAPI route that reads one row of the same database.

    python benchmarks/api.py [--tasks 10000 --tasks 1000000] [--clients 100] [--seconds 5]
                             [--only sqlite|postgresql] [--role admin|operator]

`jjm serve --no-worker` and the bare route run as processes of their own, one uvicorn worker each;
the load comes from a third process over kept connections. Each pair is measured in turn, so that
both meet the same machine. Aim: at least half as many requests a second, p95 under 50 ms, and a
rate that does not fall with the number of tasks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filling import FIRST_ID, fill

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.servers import postgresql

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock

AIM = 0.5
AIM_P95 = 0.050
BARE = """
import os, sqlite3, sys
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
kind, where, wanted = sys.argv[1], sys.argv[2], sys.argv[3]

class Row(BaseModel):
    id: str
    title: str
    status: str

if kind == "sqlite":
    import aiosqlite
    held = []
    @app.get("/row", response_model=Row)
    async def row():
        if not held:
            held.append(await aiosqlite.connect(where))
        cursor = await held[0].execute("SELECT id, title, status FROM tasks WHERE id = ?", (wanted,))
        found = await cursor.fetchone()
        return {"id": found[0], "title": found[1], "status": found[2]}
else:
    import asyncio, asyncpg
    held = []
    @app.get("/row", response_model=Row)
    async def row():
        if not held:
            held.append(asyncpg.create_pool(where, min_size=10, max_size=10))
            await held[0]
        while not held[0]._initialized:
            await asyncio.sleep(0.01)
        found = await held[0].fetchrow("SELECT id, title, status FROM tasks WHERE id = $1", wanted)
        return dict(found)

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[4]), log_level="error", access_log=False)
"""


@dataclass(frozen=True)
class Load:
    """What came of a load: requests a second, and seconds that answers took."""

    rate: float
    p50: float
    p95: float
    failed: int
    answered: int


def measured(address: str, paths: Sequence[str], key: str, *, clients: int, seconds: float) -> Load:
    """Send requests from `clients` connections for a while, from a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (address, paths, key, clients, seconds))


class _Client(asyncio.Protocol):
    """One connection that asks for the next path as soon as it has an answer, until time is over."""

    def __init__(self, requests: Iterator[bytes], until: float, taken: list[float]) -> None:
        self.requests, self.until, self.taken = requests, until, taken
        self.ended = asyncio.get_running_loop().create_future()
        self.failed = self.missing = 0
        self.head = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.missing -= len(data)
        else:
            self.head += data
            head, found, rest = self.head.partition(b"\r\n\r\n")
            if not found:
                return
            (length,) = _LENGTH.findall(head)
            self.failed += not head.startswith(b"HTTP/1.1 2")
            self.missing, self.head = int(length) - len(rest), b""
        if not self.missing:
            self.taken.append(time.perf_counter() - self.began)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask(self) -> None:
        self.began = time.perf_counter()
        if self.began >= self.until:
            self.transport.close()
        else:
            self.transport.write(next(self.requests))


_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def _measured(address: str, paths: Sequence[str], key: str, clients: int, seconds: float) -> Load:
    import uvloop

    parts = urlsplit(address)
    requests = itertools.cycle(
        f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
        "Accept: application/json\r\n\r\n".encode("ascii")
        for path in paths
    )
    taken: list[float] = []

    async def main() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        made = [
            await loop.create_connection(
                lambda: _Client(requests, began + seconds, taken), parts.hostname, parts.port
            )
            for _ in range(clients)
        ]
        await asyncio.gather(*(client.ended for _, client in made))
        return time.perf_counter() - began, sum(client.failed for _, client in made)

    lasted, failed = uvloop.run(main())
    cut = statistics.quantiles(taken, n=100)
    return Load(
        rate=len(taken) / lasted, p50=cut[49], p95=cut[94], failed=failed, answered=len(taken)
    )


@contextlib.contextmanager
def service(environ: dict[str, str], *, key: str = "") -> Iterator[tuple[str, str, int]]:
    """Yield address, key and process id of `jjm serve`; `key` when the store has one already."""
    command = [sys.executable, "-m", "jules_job_manager", "serve", "--port", "0", "--no-worker"]
    process = subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("Listening on ").strip()
        if not key:
            (file,) = Path(environ["JJM_HOME"]).glob("first-admin.*.key")
            key = file.read_text("ascii").strip()
        yield address, key, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextlib.contextmanager
def bare(kind: str, where: str, wanted: str) -> Iterator[tuple[str, int]]:
    """Yield the address and the process id of a bare route on the same database."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", BARE, kind, where, wanted, str(port)])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """Return the memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def filled(kind: str, path: Path, url: str, count: int) -> None:
    """Put tasks into an empty store."""
    store = await open_store(
        kind=kind, data_path=path, database_url=url, fallback="error", clock=SystemClock()
    )
    await fill(store, tasks=count)
    await store.aclose()


def key_of(address: str, admin_key: str, role: str) -> str:
    """Return a key with that role, made with the admin's."""
    if role == "admin":
        return admin_key
    request = urllib.request.Request(
        f"{address}/api/v1/keys", method="POST",
        data=json.dumps({"name": f"bench-{role}", "role": role}).encode("ascii"),
        headers={"Authorization": f"Bearer {admin_key}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["key"])


def paths_of(address: str, key: str, count: int) -> dict[str, Sequence[str]]:
    """Return the paths to ask for, one after the other, by their names in the table."""
    some = [FIRST_ID + number * (count // 500) for number in range(500)]
    pages = ["/api/v1/tasks?limit=50"]
    for _ in range(19):
        request = urllib.request.Request(
            address + pages[-1], headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            pages.append(f"/api/v1/tasks?limit=50&cursor={json.load(answer)['next_cursor']}")
    return {
        "one task": [f"/api/v1/tasks/{one}" for one in some],
        "status of a task": [f"/api/v1/tasks/{one}/status" for one in some],
        "list of 1": ["/api/v1/tasks?limit=1"],
        "list of 50": pages[:1],
        "50, 20 pages": pages,
        "50 of a status": ["/api/v1/tasks?limit=50&status=failed"],
        "50 of repo, status": ["/api/v1/tasks?limit=50&status=failed&repository=octo/demo"],
        "the queue": ["/api/v1/queue"],
        "100 events": ["/api/v1/events"],
    }


def compared(kind: str, url: str, count: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Measure one database, print a line for each route, and return the ratios to the bare route."""
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "jjm.sqlite"
        asyncio.run(filled(kind, path, url, count))
        wanted = str(FIRST_ID + count // 2)
        environ = {
            "JJM_HOME": home, "JJM_STORAGE__BACKEND": kind, "JJM_STORAGE__DATA_PATH": str(path),
            "DATABASE_URL": url, "JJM_BACKEND": "simulator", "JJM_LOG__LEVEL": "warning",
            "JJM_RATE_LIMITS__PER_MINUTE": "1000000",
        }  # fmt: skip
        options = {"clients": arguments.clients, "seconds": arguments.seconds}
        with (
            service(environ) as (address, admin_key, pid),
            bare(kind, url or str(path), wanted) as (floor_address, floor_pid),
        ):
            key = key_of(address, admin_key, arguments.role)
            before = memory_mib(pid)
            for name, paths in paths_of(address, key, count).items():
                if arguments.route and arguments.route not in name:
                    continue
                spent = -processor_seconds(floor_pid)
                floor = measured(floor_address, ["/row"], "", **options)
                spent = (spent + processor_seconds(floor_pid)) / floor.answered
                used = -processor_seconds(pid)
                found = measured(address, paths, key, **options)
                used = (used + processor_seconds(pid)) / found.answered
                ratios[name] = found.rate / floor.rate
                is_met = ratios[name] >= AIM and found.p95 < AIM_P95
                print(
                    f"{kind:10} {count:>8} tasks  {name:18} {found.rate:7.0f}/s "
                    f"p50 {found.p50 * 1000:5.1f} p95 {found.p95 * 1000:5.1f} ms  "
                    f"bare {floor.rate:6.0f}/s p95 {floor.p95 * 1000:5.1f} ms  "
                    f"ratio {ratios[name]:4.2f}  p95 ratio {found.p95 / floor.p95:4.1f}  "
                    f"CPU {used * 1e6:4.0f} and {spent * 1e6:4.0f} us  "
                    f"{'met' if is_met else 'not met'}"
                    + (f"  {found.failed} FAILED" if found.failed else ""),
                    flush=True,
                )
            print(
                f"{kind:10} {count:>8} tasks  memory of the service: {before:.0f} MiB at the start, "
                f"{memory_mib(pid):.0f} MiB after",
                flush=True,
            )
    return ratios


def compared_sizes(kind: str, addresses: Iterator[str], arguments: argparse.Namespace) -> None:
    """Measure a database with each number of tasks, and print how flat each route is."""
    found = {
        count: compared(kind, next(addresses), count, arguments)
        for count in arguments.tasks or [10_000]
    }
    least, most = min(found), max(found)
    for name in found[least] if least != most else ():
        flat = found[most][name] / found[least][name]
        print(f"{kind:10} {name:18} at {most} tasks {flat:4.2f} times the rate at {least}")


def databases(server: str) -> Iterator[str]:
    """Yield addresses of empty databases on a PostgreSQL server."""
    import asyncpg

    async def make(name: str) -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    for number in itertools.count():
        asyncio.run(make(f"jjm_bench_{number}"))
        yield f"{server.rpartition('/')[0]}/jjm_bench_{number}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, action="append", help="may be given more than once")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--route", help="only the lines whose name has this text")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--role", choices=("admin", "operator"), default="admin")
    arguments = parser.parse_args()
    print(
        f"Aim: ratio {AIM} and p95 under {AIM_P95 * 1000:.0f} ms; {arguments.clients} clients, "
        f"key of an {arguments.role}."
    )
    if arguments.only != "postgresql":
        compared_sizes("sqlite", itertools.repeat(""), arguments)
    if arguments.only != "sqlite":
        with postgresql() as server:
            if server is None:
                print("no PostgreSQL here")
                return
            compared_sizes("postgresql", databases(server), arguments)


if __name__ == "__main__":
    main()

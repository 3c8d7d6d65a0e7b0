"""Everything of a team's installation as processes of its own, so that each can be killed.

Two `jjm serve` and one `jjm worker` on one PostgreSQL and one Valkey, before a pretend Jules with a
real repository.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from tests import kill_world
from tests.kill_world import REPOSITORY, until
from tests.servers import PostgresServer, RedisServer
from tests.warm_program import start_jjm

JOBS = 40
"""Jobs that the pretend Jules knows how to do."""
QUOTA = 100_000, 10_000
"""Clients start more tasks than any plan gives in a day; the jobs shall not wait for that."""


class Server:
    """A `jjm serve --no-worker` that may be killed and started again at the same address."""

    def __init__(self, world: World, name: str) -> None:
        """Choose a port; `start` runs it."""
        self._world, self._name, self._starts = world, name, 0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.logs: list[Path] = []

    def start(self, *, has_worker: bool = False) -> None:
        """Run it and wait until it answers."""
        log = self._world.folder / f"{self._name}-{len(self.logs)}.log"
        self.logs.append(log)
        with log.open("w") as output:
            self.process = start_jjm(
                ["serve", "--port", str(self.port),
                 *(self._world.work() if has_worker else ["--no-worker"])],
                cwd=self._world.folder, env=self._world.environment("serve"),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        process = self.process
        until(
            f"{self._name} to listen", lambda: "Listening on" in log.read_text() or process.poll()
        )
        assert process.poll() is None, log.read_text()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self, seconds: float = 20.0) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=seconds)

    @property
    def text(self) -> str:
        """All it ever printed."""
        return "".join(log.read_text() for log in self.logs)


class World(kill_world.World):
    """The parts, and what is looked up in them afterwards."""

    def __init__(self, folder: Path, postgres: PostgresServer, redis: RedisServer) -> None:
        """Make the repository and what Jules does; see `running`."""
        super().__init__(folder, jobs=JOBS, database=postgres.address, quota=QUOTA)
        # Messages go out as soon as a task is there.
        with (folder / "scenario.toml").open("a") as scenario:
            scenario.write("[deviations]\nmessage_404_while_queued = false\n")
        self.postgres, self.redis = postgres, redis
        self.servers = [Server(self, "first"), Server(self, "second")]
        self.jobs_used = 0
        self.key = ""

    def environment(self, home: str) -> dict[str, str]:
        """Return the settings of a program."""
        return {
            **self._environment(home),
            "REDIS_URL": self.redis.address, "JJM_RATE_LIMITS__STORAGE": self.redis.address,
            "JJM_RATE_LIMITS__ANONYMOUS_PER_MINUTE": "1000000", "JJM_HEALTH__INTERVAL_SECONDS": "0.3",
            "JJM_HEALTH__WORSEN_AFTER": "1", "JJM_HEALTH__RECOVER_AFTER": "1",
            "JJM_HEALTH__LIMIT_SECONDS": "2", "JJM_LIVE__POLL_SECONDS": "0.5",
            "JJM_SERVER__GRACEFUL_SECONDS": "5", "JJM_QUEUE__POLL_INTERVAL_SECONDS": "0.2", "JJM_ACCESS__IDEMPOTENCY_LEASE_SECONDS": "3",
        }  # fmt: skip

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run Jules, both servers and the worker; end them after."""
        with self.jules():
            try:
                self.servers[0].start()
                (file,) = (self.folder / "serve").glob("first-admin.*.key")
                self.key = file.read_text("ascii").strip()
                self.servers[1].start()
                self.start_worker()
                yield
            finally:
                for server in self.servers:
                    if server.process is not None:
                        server.kill()

    def start_worker(self) -> None:
        """Start the worker, or the one that takes its place."""
        self.worker = self.start("worker", home="worker", check="true")

    def work(self) -> list[str]:
        """Return how a server works that has the worker inside."""
        return ["--check", "true", "--remote", f"{REPOSITORY}={self.origin}"]

    def next_jobs(self, count: int) -> list[kill_world.Entry]:
        """Return jobs that were not put into the queue yet."""
        begin, self.jobs_used = self.jobs_used, self.jobs_used + count
        return self.entries[begin : self.jobs_used]

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Ask the database itself."""
        connection = await asyncpg.connect(self.database)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def event_ids(self, after: int) -> list[int]:
        """Return the ids in the log after one."""
        found = await self.rows("SELECT id FROM task_events WHERE id > $1 ORDER BY id", after)
        return [row["id"] for row in found]

    async def created_events(self) -> Counter[str]:
        """Return how often each task and job is said to have been created."""
        found = await self.rows(
            "SELECT subject FROM task_events WHERE type = 'task_created'"
            " OR (type = 'job_changed' AND data::text LIKE '%added%')"
        )
        return Counter(row["subject"] for row in found)

    async def titles_at_jules(self) -> Counter[str]:
        """Return how many tasks of each title there are at Jules."""
        sessions = await asyncio.to_thread(self.sessions)
        return Counter(session.get("title", "") for session in sessions)

    async def messages_at_jules(self, task_ids: set[str]) -> Counter[str]:
        """Return how often each message reached these tasks."""
        found: Counter[str] = Counter()
        for session in await asyncio.to_thread(self.sessions):
            if session["id"] in task_ids:
                for activity in await asyncio.to_thread(self.activities, session):
                    if "userMessaged" in activity:
                        found[activity["userMessaged"]["userMessage"]] += 1
        return found

    async def unfinished(self) -> list[str]:
        """Return the jobs with something to do that are not done."""
        found = await self.rows(
            "SELECT key, status, reason FROM jobs WHERE status NOT IN ('done', 'draft')"
        )
        return [f"{row['key']}: {row['status']} {row['reason']}" for row in found]

    def said(self) -> str:
        """Return the last of what the programs wrote, for a test that failed."""
        logs = sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*/logs/*.log"))
        return "\n".join(f"{log}:\n{log.read_text()[-1500:]}" for log in logs)

    def merges(self) -> Counter[str]:
        """Return how often each job was merged."""
        subjects = kill_world.git(self.origin, "log", "--merges", "--format=%s", "main")
        return Counter(line.split(":")[0] for line in subjects.splitlines())

    def audit_problems(self) -> object:
        """Return what `jjm audit verify` finds wrong."""
        said = self.run("audit", "verify", "--json", "ok,problems", home="serve")
        found = json.loads(said)
        return (found[0] if isinstance(found, list) else found)["problems"]


__all__ = ["REPOSITORY", "Server", "World"]

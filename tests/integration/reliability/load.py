"""Clients of the service as they should be: they try again under the same key, and come back after a cut."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
from tests.integration.reliability.world import REPOSITORY, World
from tests.waiting import until

UNCLEAR = {"JJM063", "JJM073"}
"""Codes that say: it may have happened, or did; look, and do not send it again."""
IN_PROGRESS = "JJM121"


@dataclass
class Sent:
    """A request, and what its sender was told in the end."""

    kind: str
    mark: str
    outcome: str = ""
    task_id: str = ""
    tries: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0


@dataclass
class Load:
    """What everybody saw."""

    sent: list[Sent] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seen: list[list[int]] = field(default_factory=list)
    reconnects: int = 0
    health: dict[str, set[str]] = field(default_factory=dict)
    """Check and status, as `NAME STATUS`, by server address."""
    start_id: int = 0
    end_id: int = 0

    def told(self, outcome: str, kind: str = "") -> list[Sent]:
        """Return the requests that ended so."""
        return [one for one in self.sent if one.outcome == outcome and kind in {"", one.kind}]

    def answered(self) -> int:
        """Return how many were acknowledged so far."""
        return len(self.told("done"))


class Clients:
    """Writers, followers and one who watches health, until they are told to stop."""

    def __init__(self, world: World) -> None:
        """Make them for a world that runs."""
        self._world = world
        self._addresses = [server.address for server in world.servers]
        self._stop = asyncio.Event()
        self._numbers = itertools.count()
        self._name = uuid.uuid4().hex[:6]
        self.load = Load()

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {self._world.key}"}, timeout=httpx2.Timeout(20)
        )

    @asynccontextmanager
    async def at_work(self, *, writers: int = 3, followers: int = 2) -> AsyncIterator[Load]:
        """Let everybody work; at the end the writers finish what is in hand, and the rest hears all."""
        ids = await self._world.event_ids(0)
        self.load.start_id = ids[-1] if ids else 0
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._watch(address)) for address in self._addresses]
            for number in range(followers):
                seen: list[int] = []
                self.load.seen.append(seen)
                others.append(group.create_task(self._follow(number, seen)))
            writing = [group.create_task(self._write(number)) for number in range(writers)]
            try:
                yield self.load
                self._stop.set()
                await asyncio.wait(writing)
                await until(self._everybody_has_heard, seconds=40)
            finally:
                for task in (*writing, *others):
                    task.cancel()

    async def _everybody_has_heard(self) -> bool:
        """Whether all that was written when the last request was answered has come to everybody."""
        if not self.load.end_id:
            self.load.end_id = (await self._world.event_ids(self.load.start_id))[-1]
        return all(seen and seen[-1] >= self.load.end_id for seen in self.load.seen)

    async def put_jobs(self, count: int) -> None:
        """Put jobs into the queue that the worker shall do."""
        async with self._client() as client:
            for entry in self._world.next_jobs(count):
                body = {
                    "key": entry.key, "title": f"Make {entry.word}", "repository": REPOSITORY,
                    "prompt": f"Make it.\n\nFILES TO CREATE:\n- out/{entry.word}.txt (NEW)\n",
                }  # fmt: skip
                sent = Sent(kind="job", mark=entry.key)
                await self._until_clear(client, sent, "/api/v1/jobs", body, entry.number)

    async def _write(self, number: int) -> None:
        """Create a task, send it messages, and put drafts into the queue."""
        async with self._client() as client:
            for turn in itertools.count(number):
                if self._stop.is_set():
                    return
                mark = f"{self._name}-{next(self._numbers)}"
                task = Sent(kind="task", mark=mark)
                body = {"description": f"Do {mark}", "title": mark}
                await self._until_clear(client, task, "/api/v1/tasks", body, turn)
                if task.outcome == "done":
                    message = Sent(kind="message", mark=f"say {mark}", task_id=task.task_id)
                    path = f"/api/v1/tasks/{task.task_id}/message"
                    await self._until_clear(client, message, path, {"text": message.mark}, turn)
                draft = Sent(kind="draft", mark=f"D-{mark}")
                await self._until_clear(client, draft, "/api/v1/jobs", {"key": draft.mark}, turn)

    async def _until_clear(
        self, client: httpx2.AsyncClient, sent: Sent, path: str, body: object, turn: int
    ) -> None:
        """Send a request under one key, to one server and the other, until it is clear what came of it."""
        self.load.sent.append(sent)
        key = str(uuid.uuid4())
        while not sent.outcome:
            address = self._addresses[(turn + sent.tries) % 2]
            sent.tries += 1
            try:
                answer = await client.post(
                    address + path, json=body, headers={"Idempotency-Key": key}
                )
            except httpx2.TransportError:
                await asyncio.sleep(0.1)
                continue
            code = "" if answer.is_success else answer.json().get("code", "")
            if answer.is_success:
                sent.outcome = "done"
                sent.task_id = sent.task_id or str(answer.json().get("id", ""))
            elif code in UNCLEAR:
                sent.outcome = "unclear"
            elif answer.status_code >= 500 or code == IN_PROGRESS:
                await asyncio.sleep(0.1)
            else:
                sent.outcome = "refused"
                self.load.refused.append(f"{path}: {answer.text}")
        sent.ended = time.monotonic()

    async def _follow(self, number: int, seen: list[int]) -> None:
        """Follow events, and come back to the other server after the last one seen."""
        last = self.load.start_id
        async with self._client() as client:
            for turn in itertools.count(number):
                address = self._addresses[turn % 2]
                headers = {"Last-Event-ID": str(last)}
                with contextlib.suppress(httpx2.TransportError):
                    async with client.stream(
                        "GET", f"{address}/api/v1/events/stream", headers=headers
                    ) as answer:
                        if answer.status_code == 200:
                            block: dict[str, str] = {}
                            async for line in answer.aiter_lines():
                                if line:
                                    name, _, value = line.partition(": ")
                                    block[name] = value
                                    continue
                                # A block counts once it is whole, as the standard has it.
                                last = int(block.get("id", last))
                                if "data" in block:
                                    seen.append(int(json.loads(block["data"])["id"]))
                                block = {}
                        else:
                            await answer.aread()
                self.load.reconnects += 1
                await asyncio.sleep(0.1)

    async def _watch(self, address: str) -> None:
        """Look at health all the time."""
        found = self.load.health.setdefault(address, set())
        async with self._client() as client:
            while True:
                with contextlib.suppress(httpx2.TransportError):
                    answer = await client.get(f"{address}/health")
                    checks = answer.json().get("checks") or {}
                    found |= {f"{name} {check['status']}" for name, check in checks.items()}
                await asyncio.sleep(0.1)

    def has_seen(self, *wanted: str) -> Callable[[], bool]:
        """Return whether a server's health said all of this by now, as a condition."""
        return lambda: any(set(wanted) <= found for found in self.load.health.values())

    async def all_is_well(self, *, but: frozenset[str] = frozenset()) -> bool:
        """Whether each server says that everything works, looking now."""
        async with self._client() as client:
            for address in self._addresses:
                try:
                    answer = await client.get(f"{address}/health")
                except httpx2.TransportError:
                    return False
                checks = answer.json().get("checks")
                if checks is None or any(
                    check["status"] != "healthy"
                    for name, check in checks.items()
                    if name not in but
                ):
                    return False
        return True

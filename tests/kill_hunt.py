"""Kills the program at seeded random moments, starts it again, and lets it finish."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.ports.store import Store
from tests.kill_world import Program, World, until

T = TypeVar("T")
PATIENCE_SECONDS = 1500.0
RUN = ("queue", "run", "--no-input")


def hunt_one(
    world: World, chance: random.Random, *, kills: int, pause: float, workers: int = 1
) -> dict[str, str]:
    """Kill `jjm queue run` again and again, then let it finish; return the figures.

    Args:
        world: With its jobs imported and Jules served.
        chance: Says when.
        kills: How often.
        pause: Mean time between a start and the kill, in seconds; any from 0 to twice that.
        workers: Must be 1.
    """
    del workers
    killed = spoke = 0
    while killed < kills:
        program = world.start(*RUN)
        with suppress(subprocess.TimeoutExpired):
            program.wait(chance.uniform(0, 2 * pause))
        if not program.runs:
            break
        program.kill()
        killed += 1
        spoke += '"job"' in program.text
    done = asyncio.run(with_store(world, _count_done))
    code = world.start(*RUN).wait(PATIENCE_SECONDS)
    return {"kills": str(killed), "of runs that had done something": str(spoke),
            "jobs done at the last kill": str(done),
            "exit code of the last run": str(code)}  # fmt: skip


def hunt_several(
    world: World, chance: random.Random, *, kills: int, pause: float, workers: int
) -> dict[str, str]:
    """Kill the leader of several `jjm worker`s for good, then others at random; return the figures.

    Args:
        world: On PostgreSQL, with its jobs imported and Jules served.
        chance: Says who and when.
        kills: How often, the leader's included.
        pause: Mean time between two kills, in seconds.
        workers: How many, >= 2.
    """
    programs = [world.start("worker", home=f"worker-{n}") for n in range(workers)]
    try:
        time.sleep(chance.uniform(0, 2 * pause))
        told = asyncio.run(with_store(world, lambda store: _kill_leader(store, programs)))
        killed = 1
        while killed < kills and not _is_over(world):
            time.sleep(chance.uniform(0, 2 * pause))
            victim = chance.choice([n for n, program in enumerate(programs) if program.runs])
            programs[victim].kill()
            programs[victim] = world.start("worker", home=f"worker-{victim}")
            killed += 1
        until("the jobs to be done", lambda: _is_over(world), seconds=PATIENCE_SECONDS)
        return {"kills": str(killed), **told}
    finally:
        codes = [stop(program) for program in programs if program.runs]
        assert not any(codes), codes


def stop(program: Program) -> int:
    """Ask it to end, and return its exit code."""
    program.send(signal.SIGTERM)
    return program.wait()


async def with_store(world: World, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return what `work` finds in the world's store."""
    store = await open_store(
        kind="postgresql" if world.database else "sqlite",
        data_path=world.folder / "home" / "jjm.db", database_url=world.database,
        fallback="error", clock=SystemClock(),
    )  # fmt: skip
    try:
        return await work(store)
    finally:
        await store.aclose()


async def _count_done(store: Store) -> int:
    return sum(job.status.is_final for job in await store.jobs.list_jobs())


def _is_over(world: World) -> bool:
    return asyncio.run(with_store(world, _count_done)) == len(world.entries)


async def leader_of(store: Store, *, other_than: str = "") -> str:
    """Return who leads, once that is somebody (else)."""
    while True:
        lease = await store.leases.current("queue")
        if lease is not None and lease.owner and lease.owner != other_than:
            return lease.owner
        await asyncio.sleep(0.1)


def program_of(programs: list[Program], owner: str) -> Program:
    """Return the program that an owner's name tells of."""
    pid = int(owner.rsplit(":", 2)[1])
    return next(program for program in programs if program.process.pid == pid)


async def _kill_leader(store: Store, programs: list[Program]) -> dict[str, str]:
    """Kill the leader while it has a review in hand; return how long others take to go on."""
    while True:
        dead = await leader_of(store)
        if in_hand := await _in_hand_of(store, dead):
            break
        await asyncio.sleep(0.02)
    program_of(programs, dead).kill()
    killed_at = time.monotonic()
    last = await _last_event(store)
    await leader_of(store, other_than=dead)
    led = time.monotonic() - killed_at
    moved = freed = 0.0
    while not (moved and freed):
        if not moved and await _changed_since(store, last):
            moved = time.monotonic() - killed_at
        if not freed and not await _in_hand_of(store, dead):
            freed = time.monotonic() - killed_at
        await asyncio.sleep(0.1)
    return {"seconds until another led": f"{led:.1f}",
            "seconds until it had changed a job": f"{moved:.1f}",
            "reviews the dead had in hand": str(in_hand),
            "seconds until these were taken over": f"{freed:.1f}"}  # fmt: skip


async def _in_hand_of(store: Store, owner: str) -> int:
    return sum(run.owner == owner for run in await store.review_queue.active())


async def _last_event(store: Store) -> int:
    last = 0
    while page := await store.events.read(after_id=last, limit=1000):
        last = page[-1].id
    return last


async def _changed_since(store: Store, last: int) -> bool:
    found = await store.events.read(after_id=last, limit=1000)
    return any(event.type == "job_state_changed" for event in found)

"""Whole simulated days: is the quota used up, is it ever exceeded, and what does watching cost?

The queue itself runs, on a real SQLite store, against the simulator on a clock whose hours pass at
once and with git in memory. Nothing but the counters of the pretend Jules is believed.

Run: python benchmarks/simulated_day.py
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import statistics
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.queue_world import QueueWorld

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.engine import CreateRequest
from jules_job_manager.adapters.backends.simulator.refusal import Refusal
from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport
from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.domain.event import EventType
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.domain.quota import EDGE
from jules_job_manager.services import queue_run
from jules_job_manager.services.accounts import PlanChoice

PER_DAY, AT_ONCE, DAY = 300, 60, 86_400.0
POLICY = Policy(concurrency=0, approve="always")
STEP = 300.0
"""Seconds of one step of a task."""
LENGTHS = range(5, 18)
"""Steps of the tasks' plans, evenly: tasks take 30 to 90 minutes."""
EDGE_SECONDS = EDGE.total_seconds()
POLLED_EVERY = 30.0
"""How often a program without lists would ask for each task, in seconds."""
STEADY = ("activities.list", "sessions.list", "sessions.get")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One simulated stretch of time."""

    name: str
    jobs: int
    days: float
    by_hand: int = 0
    """Tasks that a person makes on the web page, evenly over the time."""
    deleted: int = 0
    """How many of those are deleted again ten minutes later: they count all the same."""


@dataclass
class Person:
    """Somebody who makes tasks on the web page and deletes some of them."""

    plan: Plan
    world: QueueWorld
    made: list[tuple[float, str]] = field(default_factory=list)
    refused: int = 0
    gone: int = 0

    def act(self, passed: float) -> None:
        """Do what is due after `passed` seconds."""
        due = int(passed / (self.plan.days * DAY) * self.plan.by_hand)
        simulator = self.world.simulator
        while len(self.made) + self.refused < due:
            try:
                with simulator.step():
                    made = simulator.create(CreateRequest(prompt="by hand"))
            except Refusal:
                self.refused += 1
            else:
                self.made.append((passed, made["id"]))
        while self.gone < self.plan.deleted and len(self.made) > self.gone:
            at, task_id = self.made[self.gone]
            if passed < at + 600:
                break
            with simulator.step():
                simulator.delete(task_id)
            self.gone += 1


def best_starts(count: int, lengths: Sequence[float], taken: Sequence[float]) -> list[float]:
    """Return when `count` tasks and those of others start if nothing is ever lost, ascending.

    Args:
        count: How many there are, all waiting from the beginning.
        lengths: How long each task is at work, in seconds, in the order of starts.
        taken: When others start tasks, which go first.
    """
    starts: list[float] = []
    ends: list[float] = []
    others, left = list(taken), count
    while left or others:
        moment = starts[-1] if starts else 0.0
        if len(starts) >= PER_DAY:
            moment = max(moment, starts[-PER_DAY] + DAY)
        while ends and ends[0] <= moment:
            heapq.heappop(ends)
        if len(ends) >= AT_ONCE:
            moment = max(moment, heapq.heappop(ends))
        if others and (others[0] <= moment or not left):
            moment = max(moment, others.pop(0))
        else:
            left -= 1
        starts.append(moment)
        heapq.heappush(ends, moment + lengths[len(starts) - 1])
    return starts


def in_window(starts: Sequence[float], now: float) -> int:
    """Return how many of the starts (ascending) lie in the 24 hours before `now`."""
    return bisect_right(starts, now) - bisect_right(starts, now - DAY)


async def day(plan: Plan, every: float) -> None:
    """Run one plan and print what came of it."""
    scenario = {
        "quota": {"tasks_per_day": PER_DAY, "concurrent": AT_ONCE},
        "timing": {"step": STEP},
        "deviations": {"progress_patches": False},
        "task": [
            {"chance": 1 / (len(LENGTHS) - place), "plan": [f"Step {n}" for n in range(steps)]}
            for place, steps in enumerate(LENGTHS)
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        world = await _world(folder, scenario)
        try:
            await world.add(*(_job(n) for n in range(plan.jobs)))
            person, began = Person(plan, world), time.perf_counter()
            epoch, end = world.simulator.present(), plan.days * DAY
            before: object = None
            while (passed := world.simulator.present() - epoch) < end:
                person.act(passed)
                present = _fingerprint(world, person, passed, epoch)
                if present != before:  # else a look would find nothing new
                    while await world.tick():
                        pass
                    before = _fingerprint(world, person, passed, epoch)
                world.time.advance(every)
            took = time.perf_counter() - began
            await _tell_day(plan, world, person, epoch, took)
        finally:
            world.close()
            await world.store.aclose()


def _fingerprint(world: QueueWorld, person: Person, passed: float, epoch: float) -> object:
    """Return what changes with everything that a look may find: sessions, and room in the window."""
    sessions = world.sessions()
    starts = [s["created"] - epoch for s in sessions] + [at for at, _ in person.made[: person.gone]]
    counted = sum(at > passed - DAY - EDGE_SECONDS for at in starts)
    return counted, int(passed // 3600), [(s["id"], s["updated"]) for s in sessions]


async def _tell_day(
    plan: Plan, world: QueueWorld, person: Person, epoch: float, took: float
) -> None:
    stats, jobs = world.simulator.stats(), await world.store.jobs.list_jobs()
    attempts = await world.store.jobs.list_attempts()
    by_hand = [at for at, _ in person.made]
    sessions = {s["id"]: s["created"] - epoch for s in world.sessions()}
    ends = {s["id"]: s["states"][-1][0] - epoch for s in world.sessions()}
    spans = [(at, ends.get(key, at + 600) - at) for key, at in sessions.items()]
    spans += [(at, 600.0) for at, _ in person.made[: person.gone]]
    lengths = [length for _, length in sorted(spans)] + [600.0] * plan.jobs
    ours = sorted(sessions[a.task_id] for a in attempts if a.task_id)
    everything = sorted([*ours, *by_hand])
    best = best_starts(plan.jobs, lengths, by_hand)
    hours = [hour * 3600.0 for hour in range(1, int(plan.days * 24) + 1)]
    shares = [in_window(everything, at) / in_window(best, at) for at in hours]
    done = sum(job.status is JobStatus.DONE for job in jobs)
    refused = sum(stats["refusals"].values())
    end = plan.days * DAY
    created, possible = bisect_right(everything, end), bisect_right(best, end)
    print(f"{plan.name}")
    print(f"  jobs merged              {done} of {plan.jobs}; tasks {len(ours)}, most in 24 h "
          f"{max(in_window(everything, at) for at in everything)} of {PER_DAY}")  # fmt: skip
    print(f"  made by hand             {len(by_hand)}, {person.gone} of them deleted; the person "
          f"was refused {person.refused} times")  # fmt: skip
    print(f"  creates refused to us    {refused}")
    print(f"  created by the end       {created} of {possible} possible ({created / possible:.4f})")
    print(f"  use of the window        {statistics.mean(shares):.4f} of the best, mean of "
          f"{len(hours)} hours; worst hour {min(shares):.4f}")  # fmt: skip
    print(f"  last task                {everything[-1] / best[-1]:.4f} times as late as the best")
    for share in (0.25, 0.5, 0.9, 1.0):
        n = max(1, round(share * len(everything))) - 1
        print(f"  task {n + 1:<5}               after {everything[n] / 3600:.2f} h, at best "
              f"{best[n] / 3600:.2f} h")  # fmt: skip
    print(f"  took                     {took:.0f} s", flush=True)


async def _world(folder: str, scenario: dict[str, Any]) -> QueueWorld:
    queue_run.LEASE_SECONDS = 36_000.0  # it is counted on this machine's clock, however slow it is
    store = await open_sqlite(Path(folder) / "jjm.db")
    world = QueueWorld(store, scenario, policy=POLICY, plan=PlanChoice(plan="ultra"))
    await world.open()
    return world


def _job(number: int) -> Job:
    return Job(key=f"Job {number:03}", title=f"Job {number:03}", prompt="Do it.", position=number)


async def watch(step: float, minutes: int, every: float) -> None:
    """Watch 60 tasks at work and print what that costs, beside asking for each of them."""
    scenario = {
        "quota": {"tasks_per_day": PER_DAY, "concurrent": AT_ONCE},
        "timing": {"step": step},
        "deviations": {"progress_patches": False},
        "task": [{"plan": [f"Step {n}" for n in range(int(minutes * 60 / step) + 40)]}],
    }
    with tempfile.TemporaryDirectory() as folder:
        world = await _world(folder, scenario)
        try:
            await _start_spread(world, step, every)
            epoch, before = world.simulator.present(), world.simulator.stats()
            per_minute = []
            for _ in range(minutes):
                began = world.simulator.stats()["requests"].get("activities.list", 0)
                for _ in range(round(60 / every)):
                    await world.tick()
                    world.time.advance(every)
                now = world.simulator.stats()["requests"].get("activities.list", 0)
                per_minute.append(now - began)
            after = world.simulator.stats()
            late = await _staleness(world, epoch)
            polled, polled_late = await _polled(world)
            _tell_watch(step, minutes, before, after, per_minute, late, polled, polled_late)
        finally:
            world.close()
            await world.store.aclose()


async def _start_spread(world: QueueWorld, step: float, every: float) -> None:
    """Start 60 tasks, not all at the same moment."""
    for number in range(AT_ONCE):
        await world.add(_job(number))
        while await world.tick():
            pass
        world.time.advance(max(1.0, step / AT_ONCE))
    await world.run_for(120, every=every)
    at_work = sum(s["state"] == "IN_PROGRESS" for s in world.sessions())
    assert at_work == AT_ONCE, at_work


async def _staleness(world: QueueWorld, epoch: float) -> list[float]:
    """Return, for each thing that happened since, how many seconds later the store knew, ascending."""
    seen: dict[str, float] = {}
    last = 0
    while page := await world.store.events.read(after_id=last, limit=1000):
        last = page[-1].id
        for event in page:
            if event.type in (EventType.ACTIVITY_SEEN, EventType.PLAN_GENERATED):
                seen[event.data["activity_id"]] = event.at.timestamp()
    late, now = [], world.simulator.present()
    for session in world.sessions():
        for activity in world.simulator.activities(session["id"]):
            if activity["at"] > epoch:
                late.append(seen.get(activity["id"], now) - activity["at"])
    return sorted(late)


async def _polled(world: QueueWorld) -> tuple[float, list[float]]:
    """Ask for each task every 30 s for ten minutes; return calls a minute and the staleness."""
    backend = open_rest_backend(
        base_url="http://127.0.0.1/v1alpha", api_key="k", timeout_seconds=30, max_tries=1,
        clock=world.clock, transport=in_process_transport(world.simulator),
    )  # fmt: skip
    ids = sorted(session["id"] for session in world.sessions())
    cursors: dict[str, str | None] = dict.fromkeys(ids)
    for task_id in ids:
        cursors[task_id] = (await backend.list_activities(task_id))[-1].created_at_raw
    before = sum(world.simulator.stats()["requests"].values())
    late = []
    for number in range(round(600 / POLLED_EVERY) * len(ids)):
        world.time.advance(POLLED_EVERY / len(ids))
        task_id = ids[number % len(ids)]
        await backend.get_task(task_id)
        known = cursors[task_id]
        for activity in await backend.list_activities(task_id, after=known):
            if activity.created_at is not None and activity.created_at_raw != known:
                late.append((world.time.now() - activity.created_at).total_seconds())
                cursors[task_id] = activity.created_at_raw
    calls = sum(world.simulator.stats()["requests"].values()) - before
    await backend.aclose()
    return calls / 10, sorted(late)


def _tell_watch(
    step: float, minutes: int, before: dict[str, Any], after: dict[str, Any],
    per_minute: Sequence[int], late: Sequence[float], polled: float, polled_late: Sequence[float],
) -> None:  # fmt: skip
    calls = {
        name: (after["requests"].get(name, 0) - before["requests"].get(name, 0)) / minutes
        for name in STEADY
    }
    total = sum(calls.values())
    print(f"watching {AT_ONCE} tasks for {minutes} min, something new in each every {step:g} s")
    told = ", ".join(f"{name} {number:.1f}" for name, number in calls.items())
    print(f"  calls a minute           {total:.1f} ({told})")
    print(f"  most activity lists      {max(per_minute)} in one minute")
    print(f"  refusals (429 and all)   {sum(after['refusals'].values())}")
    print(f"  staleness                p50 {_part(late, 0.5):.1f} s, p95 {_part(late, 0.95):.1f} s, "
          f"most {late[-1]:.1f} s, of {len(late)} changes")  # fmt: skip
    print(f"  each task every {POLLED_EVERY:g} s    {polled:.1f} calls a minute, p95 "
          f"{_part(polled_late, 0.95):.1f} s")  # fmt: skip
    print(f"  ratios                   {total / polled:.2f} of the calls, "
          f"{_part(late, 0.95) / _part(polled_late, 0.95):.2f} of the p95 staleness", flush=True)  # fmt: skip


def _part(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


DAYS = {
    "day": Plan(name="a day: 300 jobs", jobs=300, days=1),
    "long": Plan(name="the window binds: 650 jobs in 2.2 days", jobs=650, days=2.2),
    "others": Plan(name="others use it too: 500 jobs in 2.2 days, 100 tasks by hand", jobs=500,
                   days=2.2, by_hand=100, deleted=30),
}  # fmt: skip


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between looks of a day")
    parser.add_argument("--only", choices=[*DAYS, "watch"], help="a part of it")
    parser.add_argument("--steps", type=float, nargs="*", default=[30.0, 120.0],
                        help="seconds between changes of a watched task")  # fmt: skip
    parser.add_argument("--minutes", type=int, default=60, help="how long tasks are watched")
    given = parser.parse_args()
    for name, plan in DAYS.items():
        if given.only in (None, name):
            asyncio.run(day(plan, given.every))
    if given.only in (None, "watch"):
        for step in given.steps:
            asyncio.run(watch(step, given.minutes, 10.0))


if __name__ == "__main__":
    main()

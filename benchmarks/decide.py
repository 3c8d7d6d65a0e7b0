"""How the queue's decision grows: 1,000 and 100,000 jobs with up to 300 live attempts, in one run.

Run: python benchmarks/decide.py
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobFile, JobStatus, Priority
from jules_job_manager.domain.quota import AccountUse, limits_of
from jules_job_manager.domain.task import JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PRIORITIES = list(Priority)
LIVE = 300


def snapshot_of(count: int, live: int) -> o.Snapshot:
    """Return a queue of `count` jobs, each but the first ten waiting for two earlier ones."""
    jobs, attempts, tasks = [], [], {}
    for n in range(count):
        running = n < live
        needs = () if n < live + 10 else (f"J{n % live}", f"J{n - 7}")
        jobs.append(
            Job(
                key=f"J{n}",
                title=f"Job {n}",
                prompt="Do it",
                priority=PRIORITIES[n % 4],
                status=JobStatus.RUNNING if running else JobStatus.READY,
                depends_on=needs if n % 3 else (),
                position=n,
                repository="octo/demo",
                files=(JobFile(path=f"src/{n % 5000}.py"),),
                base_branch="main",
                queued_at=NOW - timedelta(hours=n % 100),
            )
        )
        if running:
            state = TaskStatus.COMPLETED if n % 10 == 0 else TaskStatus.IN_PROGRESS
            attempts.append(
                Attempt(mark=f"m{n}", job_key=f"J{n}", number=1, state=AttemptState.LIVE,
                        task_id=str(n), created_at=NOW, updated_at=NOW)
            )  # fmt: skip
            tasks[str(n)] = JulesTask(id=str(n), status=state, created_at=NOW)
    starts = tuple(NOW - timedelta(minutes=4 * n) for n in range(live, 0, -1))
    use = AccountUse(limits=limits_of("ultra"), starts=starts, at_work=50)
    return o.Snapshot(
        jobs=tuple(jobs), attempts=tuple(attempts), tasks=tasks, accounts={"default": use},
        deliveries={f"m{n}": "d" for n in range(0, live, 10)},
        bases={f"m{n}": "b" for n in range(0, live, 10)},
        quiet_since={f"m{n}": NOW for n in range(live)},
    )  # fmt: skip


def seconds_of(snapshot: o.Snapshot, repeats: int) -> float:
    """Return the median time of one decision."""
    policy = o.Policy(concurrency=0)
    times = []
    for _ in range(repeats):
        gc.collect()
        begin = time.perf_counter()
        o.decide(snapshot, NOW, policy)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def memory_of(snapshot: o.Snapshot) -> float:
    """Return the most memory that one decision takes, in MiB, the snapshot not counted."""
    tracemalloc.start()
    o.decide(snapshot, NOW, o.Policy(concurrency=0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    sizes, found = (1_000, 10_000, 100_000), {}
    print("jobs     live  decide      per job   memory")
    for size in sizes:
        snapshot = snapshot_of(size, LIVE)
        found[size] = seconds_of(snapshot, repeats)
        per_job = found[size] / size * 1e6
        print(
            f"{size:<8} {LIVE:<5} {found[size] * 1000:8.1f} ms {per_job:6.2f} µs {memory_of(snapshot):6.1f} MiB"
        )
    growth = found[sizes[-1]] / found[sizes[0]]
    print(
        f"growth from {sizes[0]:,} to {sizes[-1]:,} jobs: {growth:.0f} times (linear: {sizes[-1] // sizes[0]})"
    )


if __name__ == "__main__":
    main()

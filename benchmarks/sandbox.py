"""What the sandbox costs: its start, and a command of several seconds in it against the same bare.

Run `python benchmarks/sandbox.py`. Runs are interleaved; figures are medians and their ratios, of the
wall time and of the processor time, which a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.ports.sandbox import Sandbox

# Half of it computes, half starts programs and writes files, as a suite of tests does.
SUITE = (
    "python3 -c 'sum(i * i for i in range({loops}))'; i=0; while [ $i -lt {starts} ]; do "
    "/bin/true; echo $i > file$((i % 50)); i=$((i + 1)); done"
)
Run = Callable[[str, Path], Awaitable[None]]


def in_sandbox(sandbox: Sandbox) -> Run:
    """Return what runs a command in the sandbox."""

    async def run(command: str, folder: Path) -> None:
        outcome = await sandbox.run(command, folder=folder)
        assert outcome.exit_code == 0, outcome.output

    return run


async def bare(command: str, folder: Path) -> None:
    """Run the command as it is."""
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", command, cwd=folder)
    assert await process.wait() == 0


def processor_seconds() -> float:
    """Return the processor time of this process and of all that it started and that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


async def compare(command: str, runs: int, kinds: dict[str, Run]) -> None:
    """Print the median of each kind, in milliseconds and as a ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in kinds}
    spent: dict[str, list[float]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(runs + 1):  # the first only warms up
            for name, run in kinds.items():
                began, before = time.perf_counter(), processor_seconds()
                await run(command, Path(folder))
                if turn:
                    times[name].append(time.perf_counter() - began)
                    spent[name].append(processor_seconds() - before)
    medians = {name: statistics.median(values) for name, values in times.items()}
    work = {name: statistics.median(values) for name, values in spent.items()}
    floor, least_work = next(iter(medians.values())), next(iter(work.values()))
    for name, median in medians.items():
        least = min(times[name]) * 1000
        print(f"  {name:12} {median * 1000:9.1f} ms (least {least:9.1f})  {median / floor:6.3f}"
              f"   processor {work[name] * 1000:9.1f} ms {work[name] / least_work:6.3f}")  # fmt: skip


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=31, help="starts of each kind (31)")
    parser.add_argument("--runs", type=int, default=5, help="runs of the long command (5)")
    parser.add_argument("--loops", type=int, default=40_000_000, help="its length (40000000)")
    args = parser.parse_args()
    path = os.environ["PATH"]
    kinds = {
        "bare": bare,
        "host": in_sandbox(HostSandbox(environment={"PATH": path})),
        "bubblewrap": in_sandbox(BubblewrapSandbox(path=path, home=Path.home())),
    }
    print("start: /bin/sh -c true")
    asyncio.run(compare("true", args.starts, kinds))
    print("a command of several seconds")
    command = SUITE.format(loops=args.loops, starts=args.loops // 10_000)
    asyncio.run(compare(command, args.runs, kinds))


if __name__ == "__main__":
    main()

"""What the sandbox costs: a start against a bare shell, and a command of some seconds against itself.

Run: python benchmarks/sandbox.py
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.ports.sandbox import Sandbox

WORK = "python3 -c \"import hashlib; d = b'x' * 1000000; [hashlib.sha256(d).hexdigest() for _ in range({rounds})]\""


async def bare(command: str, folder: Path) -> None:
    """Run the command with the shell alone."""
    await asyncio.to_thread(
        subprocess.run, ["/bin/sh", "-c", command], cwd=folder, check=True, capture_output=True
    )


def inside(sandbox: Sandbox) -> Callable[[str, Path], Awaitable[None]]:
    """Return what runs a command in the sandbox."""

    async def run(command: str, folder: Path) -> None:
        outcome = await sandbox.run(command, folder=folder)
        if outcome.exit_code != 0:
            raise RuntimeError(outcome.output)

    return run


async def seconds(run: Callable[[str, Path], Awaitable[None]], command: str, folder: Path) -> float:
    """Return how long one run takes."""
    began = time.perf_counter()
    await run(command, folder)
    return time.perf_counter() - began


async def compare(command: str, times: int) -> dict[str, float]:
    """Return the median time of each way to run the command, taken in turn."""
    path = os.environ["PATH"]
    ways = {
        "bare": bare,
        "bubblewrap": inside(BubblewrapSandbox(path=path, home=Path.home())),
        "host": inside(HostSandbox(environment={"PATH": path})),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            for name, run in ways.items():
                found[name].append(await seconds(run, command, Path(folder)))
    return {name: statistics.median(values) for name, values in found.items()}


async def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=6000, help="size of the long command")
    args = parser.parse_args()
    start = await compare("true", args.times)
    print("a start        ms")
    for name, value in start.items():
        print(f"{name:<12} {value * 1000:6.1f}")
    long = await compare(WORK.format(rounds=args.rounds), max(3, args.times // 5))
    print("\na long command  s   times bare")
    for name, value in long.items():
        print(f"{name:<12} {value:6.2f}   {value / long['bare']:.3f}")


if __name__ == "__main__":
    asyncio.run(main())

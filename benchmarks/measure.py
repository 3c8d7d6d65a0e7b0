"""Times whole commands: interleaved runs, medians, and ratios within the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command to time. With `terminal` its output goes to a pseudo-terminal."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] | None = None
    terminal: bool = False
    aim: float | None = None
    """Most times the floor's median that is aimed at."""


def run_once(command: Command) -> float:
    """Run the command once and return its wall time in seconds.

    Raises:
        subprocess.CalledProcessError: it did not exit with 0.
    """
    environment = dict(command.environment or os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    if command.terminal:
        code = _run_on_terminal(command.argv, environment)
    else:
        code = subprocess.run(
            command.argv,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        ).returncode
    elapsed = time.perf_counter() - start
    if code:
        raise subprocess.CalledProcessError(code, list(command.argv))
    return elapsed


def _run_on_terminal(argv: Sequence[str], environment: dict[str, str]) -> int:
    primary, secondary = os.openpty()
    environment.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
    try:
        process = subprocess.Popen(
            argv, env=environment, stdin=secondary, stdout=secondary, stderr=secondary
        )
        os.close(secondary)
        secondary = -1
        while True:
            try:
                if not os.read(primary, 65536):
                    break
            except OSError:  # the other end is closed: the command has ended
                break
        return process.wait()
    finally:
        os.close(primary)
        if secondary >= 0:
            os.close(secondary)


def compare(floor: Command, commands: Sequence[Command], *, runs: int) -> None:
    """Run everything in turn `runs` times (after one warm-up) and print medians and ratios."""
    everything = [floor, *commands]
    for command in everything:
        run_once(command)
    times: dict[str, list[float]] = {command.name: [] for command in everything}
    for _ in range(runs):
        for command in everything:
            times[command.name].append(run_once(command))
    base = statistics.median(times[floor.name])
    width = max(len(command.name) for command in everything)
    print(f"{'command':{width}}  median ms   min ms    x floor     aim")
    for command in everything:
        median = statistics.median(times[command.name])
        aim = "" if command.aim is None else f"<= {command.aim:g}"
        print(
            f"{command.name:{width}}  {median * 1000:9.1f} {min(times[command.name]) * 1000:8.1f}"
            f"  {median / base:9.2f}  {aim:>6}"
        )

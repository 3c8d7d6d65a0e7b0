"""A mixed load of 10, 50 and 100 users on `jjm serve`, as a ratio to a bare route in the same run.

    python benchmarks/load.py [--users 10,50,100] [--seconds 15] [--only sqlite|postgresql]
                              [--write | --check]

Users wait half a second to one and a half between two requests. The load comes from locust, which
runs in an environment of its own: the program `locust` where it is installed, or fetched for this
run. The bare route (see api.py) gets the same users at the same pace. `--write` keeps the ratios in
benchmarks/baselines/load.json; `--check` ends with 1 when one is worse than 1.5 times what is kept
there, or a request failed. Aim: p95 under 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import bare, filled, service
from filling import FIRST_ID

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.servers import postgresql

HERE = Path(__file__).parent
BASELINE = HERE / "baselines" / "load.json"
LOCUST = "locust>=2.40,<3"
AIM_P95_MS = 200.0
WORSE = 1.5
LEAST = 20
"""Medians of fewer requests are shown, and neither kept nor compared."""
RAMP_SECONDS = 3.0
"""Users come one after the other for so long; what they meet meanwhile does not count."""
SCENARIO = """[quota]
tasks_per_day = 1000000
concurrent = 1000000
[deviations]
message_404_while_queued = false
"""


@dataclass(frozen=True)
class Times:
    """What users of one operation met, in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    failed: int


def locust_command() -> list[str]:
    """Return how locust is started: the installed one, or one fetched for this run."""
    found = shutil.which("locust")
    return (
        [found]
        if found
        else [sys.executable, "-m", "uv", "tool", "run", "--from", LOCUST, "locust"]
    )


def measured(who: str, address: str, users: int, seconds: float, **more: str) -> dict[str, Times]:
    """Let users of a class work for a while; return what they met, by operation."""
    command = [
        *locust_command(), "-f", str(HERE / "locustfile.py"), "--headless", "--json", "--only-summary",
        "-u", str(users), "-r", str(max(1.0, users / 3)), "-t", f"{seconds + RAMP_SECONDS:g}s", "--host", address,
        "--loglevel", "ERROR", "--exit-code-on-error", "0", "--reset-stats", who,
    ]  # fmt: skip
    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"locust ended with {done.returncode}: {done.stderr[-2000:]}")
    stats = json.loads(done.stdout)
    return {entry["name"]: _times(entry, seconds) for entry in stats}


def _times(entry: dict[str, Any], seconds: float) -> Times:
    counts = sorted((float(took), count) for took, count in entry["response_times"].items())
    total = sum(count for _, count in counts)

    def within(share: float) -> float:
        left = share * total
        for took, count in counts:
            left -= count
            if left <= 0:
                return took
        return counts[-1][0] if counts else 0.0

    return Times(
        rate=entry["num_requests"] / seconds, p50=within(0.5), p95=within(0.95), p99=within(0.99),
        failed=entry["num_failures"],
    )  # fmt: skip


def warm(address: str, key: str) -> None:
    """Create a task, so that what the service loads late is there."""
    request = urllib.request.Request(
        f"{address}/api/v1/tasks", data=b'{"description": "Warm up."}',
        headers={"X-API-Key": key, "Content-Type": "application/json"},
    )  # fmt: skip
    urllib.request.urlopen(request, timeout=30).close()


def compared(kind: str, url: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Measure one database, print a line for each operation, and return the ratios of the medians."""
    ratios: dict[str, float] = {}
    failed = 0
    known = ""
    for users in arguments.users:
        with tempfile.TemporaryDirectory() as home:
            path = Path(home) / "jjm.sqlite"
            (Path(home) / "scenario.toml").write_text(SCENARIO)
            if users == arguments.users[0] or not url:
                asyncio.run(filled(kind, path, url, arguments.tasks))
            environ = {
                "JJM_HOME": home, "JJM_STORAGE__BACKEND": kind, "JJM_STORAGE__DATA_PATH": str(path),
                "DATABASE_URL": url, "JJM_BACKEND": "simulator", "JJM_LOG__LEVEL": "error",
                "JJM_SIMULATOR__SCENARIO": str(Path(home) / "scenario.toml"),
            }  # fmt: skip
            wanted = str(FIRST_ID + arguments.tasks // 2)
            with bare(kind, url or str(path), wanted) as (address, _):
                floor = measured("Bare", address, users, arguments.seconds)["bare"]
            with service(environ, key=known) as (address, key, _):
                known = key if url else ""  # an empty file has another
                warm(address, key)
                found = measured(
                    "Mixed", address, users, arguments.seconds, LOAD_KEY=key,
                    LOAD_FIRST_ID=str(FIRST_ID), LOAD_TASKS=str(arguments.tasks),
                )  # fmt: skip
        for name, times in {"bare": floor, **dict(sorted(found.items()))}.items():
            ratio = times.p50 / max(floor.p50, 1.0)
            if name != "bare":
                failed += times.failed
                if times.rate * arguments.seconds >= LEAST:
                    ratios[f"{kind} {users} {name}"] = round(ratio, 2)
            print(
                f"{kind:10} {users:>4} users  {name:8} {times.rate:7.1f}/s  p50 {times.p50:6.0f}  "
                f"p95 {times.p95:6.0f}  p99 {times.p99:6.0f} ms  p50 to bare {ratio:6.2f}"
                + (f"  {times.failed} FAILED" if times.failed else "")
                + ("  over the aim" if times.p95 > AIM_P95_MS else ""),
                flush=True,
            )
    ratios[f"{kind} failed"] = failed
    return ratios


def worse_than_kept(found: dict[str, float], kept: dict[str, float]) -> list[str]:
    """Return a line for each ratio that is worse than it may be, and for failed requests."""
    said = [
        f"{name}: {ratio:g} times the bare route, {kept[name]:g} is kept"
        for name, ratio in found.items()
        if name in kept and not name.endswith("failed") and ratio > WORSE * kept[name]
    ]
    return said + [f"{name}: {n:g}" for name, n in found.items() if name.endswith("failed") and n]


def main() -> int:
    """Measure, print, and compare or keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument(
        "--users", type=lambda t: [int(n) for n in t.split(",")], default=[10, 50, 100]
    )
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="keep the ratios as the baseline")
    what.add_argument("--check", action="store_true", help="compare with the baseline")
    arguments = parser.parse_args()
    found: dict[str, float] = {}
    if arguments.only != "postgresql":
        found |= compared("sqlite", "", arguments)
    if arguments.only != "sqlite":
        with postgresql() as server:
            if server is None:
                print("no PostgreSQL here")
            else:
                found |= compared("postgresql", server, arguments)
    if arguments.write:
        BASELINE.parent.mkdir(exist_ok=True)
        kept = {name: ratio for name, ratio in found.items() if not name.endswith("failed")}
        BASELINE.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
        print(f"kept in {BASELINE.name}")
    if arguments.check:
        worse = worse_than_kept(found, json.loads(BASELINE.read_text()))
        for line in worse:
            print(f"worse: {line}")
        return 1 if worse else 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

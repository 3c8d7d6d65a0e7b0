"""Start-up: how long commands take that must be instant, against the bare interpreter and a peer.

    python benchmarks/startup.py [--runs 30] [--size 10000] [--large 1000000] [--no-peer]

The floor is `python -c pass` with the same interpreter. The peer is `junes` from PyPI, installed
into a virtual environment of its own in a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.task import JulesTask, TaskStatus
from measure import Command, compare

PEER = "junes==2.1.0"
JJM = str(Path(sys.executable).with_name("jjm"))
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def _tasks(count: int) -> Iterator[JulesTask]:
    states = list(TaskStatus)
    for number in range(count):
        moment = EPOCH + timedelta(seconds=number)
        yield JulesTask(
            id=f"{10**18 + number}",
            title=f"Task number {number}",
            description="Add a /health endpoint with a test. " * 5,
            repository="octo/demo",
            branch="main",
            status=states[number % len(states)],
            created_at=moment,
            updated_at=moment,
            backend="simulator",
            seen_at=moment,
        )


async def _fill(home: Path, tasks: int, jobs: int) -> None:
    store = await open_store(
        kind="sqlite",
        data_path=home / "jjm.db",
        database_url="",
        fallback="error",
        clock=SystemClock(),
    )
    try:
        batch: list[JulesTask] = []
        for task in _tasks(tasks):
            batch.append(task)
            if len(batch) == 5000:
                await store.tasks.save_tasks(batch)
                batch = []
        await store.tasks.save_tasks(batch)
        await store.jobs.save_jobs(
            [
                Job(
                    key=f"Job {number}", title=f"Job number {number}", prompt="Do it. " * 50,
                    status=JobStatus.READY, position=number, backlog="/backlog.md",
                )
                for number in range(jobs)
            ]
        )  # fmt: skip
    finally:
        await store.aclose()


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "JJM_HOME": str(home), "JJM_BACKEND": "simulator"}


def _ours(home: Path) -> list[Command]:
    environment = _environment(home)

    def command(name: str, *arguments: str, aim: float, terminal: bool = False) -> Command:
        return Command(
            name=name, argv=[JJM, *arguments], environment=environment, aim=aim, terminal=terminal
        )

    return [
        command("jjm --version", "--version", aim=1.15),
        command("jjm list --cached", "list", "--cached", aim=3),
        command("jjm list --cached --json", "list", "--cached", "--json", "id,title,status", aim=3),
        command("jjm get ID --cached", "get", f"{10**18 + 77}", "--cached", aim=3),
        command("jjm queue list", "queue", "list", aim=3),
        command("jjm queue list --json", "queue", "list", "--json", "key,status", aim=3),
        command("jjm list --cached (terminal)", "list", "--cached", aim=10, terminal=True),
        command("jjm queue list (terminal)", "queue", "list", aim=10, terminal=True),
    ]


def _peer(folder: Path) -> Path | None:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    installed = subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=False)
    return python if installed.returncode == 0 else None


def _peer_commands(python: Path, address: str) -> list[Command]:
    patched = (
        "import sys, junes.constants as c; c.BASE_URL = sys.argv.pop(1);"
        "from junes.cli import main; main()"
    )
    environment = {**os.environ, "JULES_API_KEY": "k", "JUNES_API_KEY": "k"}
    return [
        Command(name="junes --help", argv=[str(python.with_name("junes")), "--help"]),
        Command(
            name="junes sessions list (loopback)",
            argv=[str(python), "-c", patched, address, "sessions", "list"],
            environment=environment,
        ),
        Command(
            name="jjm list (loopback)",
            argv=[JJM, "list"],
            environment={
                **_environment(Path(tempfile.mkdtemp())), "JJM_BACKEND": "rest", "JULES_API_KEY": "k",
                "JULES_API_URL": address,
            },
        ),
    ]  # fmt: skip


def main() -> None:
    """Fill stores, time the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument(
        "--large", type=int, default=1_000_000, help="tasks of the large store; 0 leaves it out"
    )
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    floor = Command(name="python -c pass", argv=[sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        asyncio.run(_fill(home, options.size, options.size))
        print(f"Start-up on a store of {options.size} tasks and jobs, {options.runs} runs each")
        commands = _ours(home)
        python = None if options.no_peer else _peer(Path(scratch) / "peer")
        if python is None:
            compare(floor, commands, runs=options.runs)
        else:
            with_server(scratch, python, floor, commands, options.runs)
        if options.large:
            growth(Path(scratch), options.large, options.runs)


def with_server(
    scratch: str, python: Path, floor: Command, commands: list[Command], runs: int
) -> None:
    """Time ours and the peer's in one run, the lists of both against one loopback server."""
    server = subprocess.Popen(
        [JJM, "simulator", "serve", "--port", "0", "--speed", "0"],
        stdout=subprocess.PIPE, text=True, env=_environment(Path(scratch) / "server"),
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        compare(floor, [*commands, *_peer_commands(python, address)], runs=runs)
    finally:
        server.terminate()
        server.wait()


def growth(scratch: Path, large: int, runs: int) -> None:
    """Show how `list --cached` grows from 1,000 tasks to `large`."""
    homes = {}
    for count in (1000, large):
        homes[count] = scratch / f"home-{count}"
        homes[count].mkdir()
        asyncio.run(_fill(homes[count], count, 0))
    print(f"\n`jjm list --cached` at {json.dumps(sorted(homes))} tasks")
    small, big = (
        Command(
            name=f"list at {count}",
            argv=[JJM, "list", "--cached"],
            environment=_environment(home),
            aim=aim,
        )
        for (count, home), aim in zip(homes.items(), (None, 1.5), strict=True)
    )
    compare(small, [big], runs=runs)


if __name__ == "__main__":
    main()

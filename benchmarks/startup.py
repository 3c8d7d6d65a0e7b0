"""Start-up: how long commands take that must be instant, against the bare interpreter and a peer.

    python benchmarks/startup.py [--runs 30] [--size 10000] [--no-peer]

The floor is `python -c pass` with the same interpreter. This program and the peer, `junes` from
PyPI, are each installed into a virtual environment of their own in a temporary folder, as users
install them: with their bytecode.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import site
import subprocess
import tempfile
import urllib.request
import venv
from pathlib import Path

from filling import fill_sqlite
from measure import Command, compare

PEER = "junes==2.1.0"
PROJECT = Path(__file__).parent.parent
SESSIONS = 20


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "JJM_HOME": str(home), "JJM_BACKEND": "simulator"}


def _ours(home: Path, jjm: str) -> list[Command]:
    environment = _environment(home)

    def command(name: str, *arguments: str, aim: float, terminal: bool = False) -> Command:
        return Command(
            name=name, argv=[jjm, *arguments], environment=environment, aim=aim, terminal=terminal
        )

    return [
        command("jjm --version", "--version", aim=1.15),
        command("jjm list --cached", "list", "--cached", aim=3),
        command("jjm list --cached --json", "list", "--cached", "--json", "id,title,status", aim=3),
        command("jjm get ID --cached", "get", f"{10**18 + 77}", "--cached", aim=3),
        command("jjm queue list", "queue", "list", aim=3),
        command("jjm queue list --json", "queue", "list", "--json", "key,status", aim=3),
        command("jjm queue show KEY", "queue", "show", "Job 77", aim=3),
        command("jjm queue status", "queue", "status", aim=3),
        command("jjm list --cached (terminal)", "list", "--cached", aim=10, terminal=True),
        command("jjm queue list (terminal)", "queue", "list", aim=10, terminal=True),
        command(
            "jjm get ID --cached (terminal)",
            "get",
            f"{10**18 + 77}",
            "--cached",
            aim=10,
            terminal=True,
        ),
    ]


def _installed(folder: Path, *what: str) -> Path | None:
    """Install into a new virtual environment and return its folder of programs."""
    venv.create(folder, with_pip=True)
    pip = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-q",
        "--no-warn-script-location",
    ]
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([*pip, *what], check=False, env=environment, stderr=subprocess.PIPE)
    return folder / "bin" if done.returncode == 0 else None


def _fill_server(address: str) -> None:
    for number in range(SESSIONS):
        body = {"prompt": f"Do piece {number}", "title": f"Piece {number}"}
        request = urllib.request.Request(
            f"{address}/sessions", json.dumps(body).encode(),
            {"content-type": "application/json", "x-goog-api-key": "k"},
        )  # fmt: skip
        urllib.request.urlopen(request).close()


def _peer_commands(programs: Path, jjm: str, home: Path, address: str) -> list[Command]:
    # The peer has no setting for the address; its own start script does the rest.
    patched = (
        "import sys, junes.constants as c; c.BASE_URL = sys.argv.pop(1);"
        "from junes.cli import cli; cli()"
    )
    environment = {**os.environ, "JULES_API_KEY": "k"}
    python = programs / "python"
    return [
        Command(name="junes --help", argv=[str(python.with_name("junes")), "--help"]),
        Command(
            name="junes sessions list (loopback)",
            argv=[str(python), "-c", patched, address, "sessions", "list"],
            environment=environment,
        ),
        Command(
            name="jjm list (loopback)",
            argv=[jjm, "list"],
            environment={
                **_environment(home), "JJM_BACKEND": "rest", "JULES_API_KEY": "k",
                "JULES_API_URL": address,
            },
        ),
    ]  # fmt: skip


def main() -> None:
    """Fill stores, time the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        programs = _installed(Path(scratch) / "ours", "--no-deps", str(PROJECT))
        assert programs is not None, "the project cannot be installed"
        lent = site.getsitepackages()[0]  # the dependencies, as this environment has them
        (next((programs.parent / "lib").iterdir()) / "site-packages" / "lent.pth").write_text(lent)
        jjm = str(programs / "jjm")
        floor = Command(name="python -c pass", argv=[str(programs / "python"), "-c", "pass"])
        start_up(Path(scratch), jjm, floor, options)


def start_up(scratch: Path, jjm: str, floor: Command, options: argparse.Namespace) -> None:
    """Time the instant commands, and the peer where it can be had."""
    home = scratch / "home"
    home.mkdir()
    asyncio.run(fill_sqlite(home, tasks=options.size, jobs=options.size))
    print(f"Start-up on a store of {options.size} tasks and jobs, {options.runs} runs each")
    commands = _ours(home, jjm)
    peer = None if options.no_peer else _installed(scratch / "peer", PEER)
    if peer is None:
        print("without the peer, which is left out or cannot be installed")
        compare(floor, commands, runs=options.runs)
    else:
        with_server(scratch, peer, jjm, floor, commands, options.runs)


def with_server(
    scratch: Path, peer: Path, jjm: str, floor: Command, commands: list[Command], runs: int
) -> None:
    """Time ours and the peer's in one run, the lists of both against one loopback server."""
    server = subprocess.Popen(
        [jjm, "simulator", "serve", "--port", "0", "--speed", "0"],
        stdout=subprocess.PIPE, text=True, env=_environment(scratch / "server"),
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        _fill_server(address)
        theirs = _peer_commands(peer, jjm, scratch / "asking", address)
        compare(floor, [*commands, *theirs], runs=runs)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()

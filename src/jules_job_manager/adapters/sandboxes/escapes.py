"""Proves a sandbox by trying to break out of it, in every way that would cost its owner something."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jules_job_manager.ports.sandbox import Limits, Sandbox

_LIMITS = Limits(wall_seconds=60.0, processes=64)
_SECRET = "jjm-probe-secret"  # noqa: S105 - a bait


@dataclass(frozen=True, kw_only=True, slots=True)
class Escape:
    """One attempt."""

    name: str
    command: str
    """Exits with 0 when it got out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What came of the attempts."""

    tried: int
    succeeded: tuple[str, ...]
    """The names of those that got out."""


async def try_to_escape(sandbox: Sandbox, *, home: Path, own_home: Path) -> Proof:
    """Run every attempt in the sandbox.

    Args:
        sandbox: What is to be proven.
        home: The home folder of the user.
        own_home: The home folder of this program, with its keys and mirrors.

    Raises:
        OperationFailedError: the sandbox could not be started.
    """
    with contextlib.ExitStack() as stack:
        world = await asyncio.to_thread(_world, stack)
        baits = {
            "read the home folder": stack.enter_context(_bait_in(home)),
            "read the keys and mirrors of jjm": stack.enter_context(_bait_in(own_home)),
        }
        attempts = [
            Escape(name=name, command=f"cat {shlex.quote(str(bait))}")
            for name, bait in baits.items()
            if bait is not None  # else the attempt would fail whatever the sandbox does
        ]
        attempts += _attempts(world)
        got_out = []
        for attempt in attempts:
            # The last of the command decides: a shell that cannot even begin has not got out.
            outcome = await sandbox.run(
                f"({attempt.command}) >/dev/null 2>&1", folder=world.folder, limits=_LIMITS
            )
            if outcome.exit_code == 0:
                got_out.append(attempt.name)
        await sandbox.run(
            "(setsid sh -c 'exec 9>>alive; echo; exec sleep 600' >/dev/null 2>&1 &)",
            folder=world.folder, limits=_LIMITS,
        )  # fmt: skip
        if await asyncio.to_thread(_runs_in, world.folder):
            got_out.append("keep a process alive")
    return Proof(tried=len(attempts) + 1, succeeded=tuple(got_out))


@dataclass(frozen=True, kw_only=True, slots=True)
class _World:
    folder: Path
    outside: Path
    mirror: Path
    port: int
    bait: int
    """A process of ours, with a secret in its environment."""


def _world(stack: contextlib.ExitStack) -> _World:
    root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jjm-probe-")))
    folder, outside, mirror = root / "checkout", root / "outside", root / "mirror"
    for place in (folder, outside, mirror):
        place.mkdir()
    (mirror / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (folder / ".git").write_text(f"gitdir: {mirror}\n", encoding="utf-8")
    (outside / "secret").write_text(_SECRET, encoding="utf-8")
    (folder / "link").symlink_to(outside)
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return _World(
        folder=folder, outside=outside, mirror=mirror, port=listener.getsockname()[1],
        bait=stack.enter_context(_bait()),
    )  # fmt: skip


@contextlib.contextmanager
def _bait() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE, env={"JJM_PROBE": _SECRET},
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.communicate()


@contextlib.contextmanager
def _bait_in(folder: Path) -> Iterator[Path | None]:
    """Put a secret into the folder; None when it is not there or cannot be written."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".jjm-probe-", dir=folder)
    except OSError:
        yield None
        return
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _attempts(world: _World) -> list[Escape]:
    places = {
        "outside": world.outside, "mirror": world.mirror,
        "system": f"/usr/jjm-probe-{os.getpid()}",
    }  # fmt: skip
    at = {name: shlex.quote(str(path)) for name, path in places.items()}
    connect = (
        "python3 -c 'import socket; socket.create_connection"
        f'(("127.0.0.1", {world.port}), 5)\' || '
        f'bash -c "exec 3<>/dev/tcp/127.0.0.1/{world.port}"'
    )
    environments = f"cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -q {_SECRET}"
    return [
        Escape(name="read a file outside", command=f"cat {at['outside']}/secret"),
        Escape(name="follow a link outside", command="cat link/secret"),
        Escape(name="write outside", command=f"echo > {at['outside']}/written"),
        Escape(
            name="write into the system",
            command=f"mkdir {at['system']} && rmdir {at['system']}",
        ),
        Escape(name="connect to this machine", command=connect),
        Escape(name="read another process' environment", command=environments),
        Escape(
            name="see another process",
            command=f"grep -q jjm /proc/{world.bait}/environ || ls /proc/{world.bait}/cwd/",
        ),
        Escape(name="signal another process", command=f"kill -0 {world.bait}"),
        Escape(name="write into the git mirror", command=f"echo > {at['mirror']}/config"),
        Escape(name="replace .git", command="mv .git moved && mkdir .git || echo x > .git"),
    ]


def _runs_in(folder: Path) -> bool:
    """Whether a process still holds the folder's file open; only Linux can tell."""
    alive = str(folder / "alive")
    for link in Path("/proc").glob("[0-9]*/fd/9"):
        with contextlib.suppress(OSError):
            if str(link.readlink()).endswith(("/checkout/alive", alive)):
                return True
    return False

"""Starts a supervisor, reads what its command writes, and says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.sandboxes import supervisor
from jules_job_manager.adapters.scratch_folders import ScratchFolder
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.sandbox import Limits, Outcome

CHECKOUT = "/checkout"
"""Where the folder is inside a sandbox with files of its own."""
HOME = "/home/sandbox"
_CHUNK_BYTES = 65536
_GRACE_SECONDS = 15.0
"""How long a supervisor may take to end everything; a container engine is slow."""
_SIGNALS = {128 + signal.SIGXFSZ: "file", 128 + signal.SIGXCPU: "cpu"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What a supervisor is to start."""

    argv: Sequence[str]
    folder: Path
    limits: Limits
    environment: Mapping[str, str]
    """Of the supervisor and of what it starts."""
    is_bubblewrap: bool = False
    stop: Sequence[str] = ()
    """A command that ends what is not a descendant; then its own limits count, not ours."""
    working_folder: Path | None = None
    has_own_exit_code: frozenset[int] = field(default_factory=frozenset)
    """Exit codes that say that the command was not run."""


def require_folder(folder: Path) -> None:
    """Do nothing when it is a folder.

    Raises:
        OperationFailedError: it is not.
    """
    if not folder.is_dir():
        raise OperationFailedError(f"The check could not be started: there is no {folder}.")


async def error_of(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return why a command that only tries something out fails, in a few words; empty: it works.

    Args:
        argv: The command; it is given 30 seconds.
        environment: Its variables; None: ours.
    """

    def tried() -> str:
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=30, check=False, env=environment
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            return str(exc)
        return "" if done.returncode == 0 else done.stderr.strip()[-200:] or "without a reason"

    return await asyncio.to_thread(tried)


@contextlib.asynccontextmanager
async def scratch_folder() -> AsyncIterator[Path]:
    """Give a private folder for one run, which is removed with all that is in it."""
    scratch = await asyncio.to_thread(ScratchFolder, "jjm-check-")
    try:
        yield scratch.path
    finally:
        await asyncio.to_thread(scratch.remove)


async def run_supervised(program: Program) -> Outcome:
    """Run the program until it ends or is over a limit; then nothing of it is left.

    Raises:
        OperationFailedError: it could not be started.
    """
    began = time.monotonic()
    reading, writing = os.pipe()
    told, telling = os.pipe()
    log = Log(program.limits)
    try:
        process = await _start(program, writing, telling)
    except OSError as exc:
        os.close(reading)
        os.close(told)
        raise OperationFailedError(f"The check could not be started: {exc}") from exc
    except BaseException:
        os.close(reading)
        os.close(told)
        raise
    finally:
        os.close(writing)
        os.close(telling)
    try:
        over = await _watch(process, reading, log, program.limits.wall_seconds)
        result = _result(told)
    finally:
        os.close(told)
    over = over or str(result.get("over") or "")
    code = result.get("exit")
    if not over and (code is None or result["failed"] or code in program.has_own_exit_code):
        why = log.text().strip()[-500:] or f"its supervisor ended with {process.returncode}"
        raise OperationFailedError(f"The check could not be started: {why}")
    return Outcome(
        exit_code=None if over else code,
        timed_out=over == "wall",
        over_limit=over or _SIGNALS.get(code or 0, ""),
        output=log.text(),
        output_bytes=log.bytes_read,
        log_sha256=log.sha256(),
        duration_seconds=float(result.get("seconds", time.monotonic() - began)),
    )


async def _start(program: Program, output: int, telling: int) -> asyncio.subprocess.Process:
    specification = {
        "argv": list(program.argv),
        "folder": str(program.folder),
        "limits": dataclasses.asdict(program.limits),
        "tracked": platform.system() == "Linux",
        "bubblewrap": program.is_bubblewrap,
        "stop": list(program.stop),
        "status": telling,
        "parent": os.getpid(),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(Path(supervisor.__file__)), json.dumps(specification),
        cwd=program.working_folder or program.folder, env=dict(program.environment),
        start_new_session=True, pass_fds=(telling,),
        stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
    )  # fmt: skip


def _result(told: int) -> dict[str, Any]:
    """Return what the supervisor said; nothing when it was killed."""
    os.set_blocking(told, False)
    with contextlib.suppress(BlockingIOError, ValueError):
        found: dict[str, Any] = json.loads(os.read(told, 4096))
        return found
    return {}


class Log:
    """What was written: the first and the last half of what is kept, and the hash of all of it."""

    def __init__(self, limits: Limits) -> None:
        """Keep and accept as much as the limits say."""
        self.bytes_read = 0
        self._most = limits.output_bytes
        self._half = max(1, limits.kept_output_bytes // 2)
        self._head = bytearray()
        self._tail = bytearray()
        self._hash = hashlib.sha256()

    @property
    def is_too_long(self) -> bool:
        """Return whether more was written than may be."""
        return self.bytes_read > self._most

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.bytes_read += len(data)
        self._hash.update(data)
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(0, room) :]
        surplus = len(self._tail) - self._half
        if surplus > 0:
            del self._tail[:surplus]

    def sha256(self) -> str:
        """Return the hash of all bytes."""
        return self._hash.hexdigest()

    def text(self) -> str:
        """Return what is kept, with a line between that says how much is missing."""
        dropped = self.bytes_read - len(self._head) - len(self._tail)
        gap = f"\n[... {dropped} bytes left out ...]\n".encode() if dropped else b""
        return (bytes(self._head) + gap + bytes(self._tail)).decode("utf-8", "replace")


async def _watch(
    process: asyncio.subprocess.Process, output: int, log: Log, wall_seconds: float
) -> str:
    """Read output until the command ends or is over a limit, which is returned; end it either way."""
    over = ""
    # Our own pipe: with asyncio's, `wait` lasts until background children close it as well.
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb")
    )
    reading = asyncio.create_task(_read(stream, log))
    ending = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(wall_seconds):
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if log.is_too_long:
                over = "output"
            else:
                await ending
    except TimeoutError:
        over = "wall"
    finally:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
        _signal(process, signal.SIGKILL)
        await asyncio.wait({reading}, timeout=_GRACE_SECONDS)
        reading.cancel()
        ending.cancel()
        transport.close()
        await process.wait()
    return over or ("output" if log.is_too_long else "")


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to the supervisor; the last one also to what is in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        elif process.returncode is None:
            process.send_signal(number)


async def _read(stream: asyncio.StreamReader, log: Log) -> None:
    while not log.is_too_long and (data := await stream.read(_CHUNK_BYTES)):
        log.feed(data)

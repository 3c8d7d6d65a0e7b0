"""Runs checks on this machine, with no sandbox: a clean environment and bounds, nothing more.

On Linux a small program of ours stands between (`reaper.py`), so that everything a check started
ends with it. Elsewhere what leaves the check's process group (`setsid`) may outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from jules_job_manager.adapters.checks import reaper
from jules_job_manager.adapters.scratch_folders import ScratchFolder
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.errors import OperationFailedError

_CHUNK_BYTES = 65536
_GRACE_SECONDS = 2.0
"""How long the output is still read once the whole process group was killed."""


class HostCheckRunner:
    """Runs a command in its own process group, without our environment and without stdin."""

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        """Hold the only variables a check gets; HOME and TMPDIR are always private ones."""
        self._environment = dict(environment)

    async def run(
        self, command: str, *, folder: Path, timeout_seconds: float, output_limit_bytes: int = 65536
    ) -> CheckResult:
        """Run `command` with the system shell in `folder`.

        Args:
            command: What a person configured; never text of an agent.
            folder: The working folder.
            timeout_seconds: Longest run, > 0; then the result is `timed_out`.
            output_limit_bytes: Most output kept, head and tail, > 0.

        Raises:
            OperationFailedError: the shell could not be started.
        """
        scratch = await asyncio.to_thread(ScratchFolder, "jjm-check-")
        started = time.monotonic()
        kept = _HeadAndTail(output_limit_bytes)
        reading, writing = os.pipe()
        try:
            try:
                process = await self._start(command, folder, scratch.path, writing)
            except BaseException:
                os.close(reading)
                raise
            finally:
                os.close(writing)
            timed_out = await _watch(process, reading, kept, timeout_seconds)
        finally:
            await asyncio.to_thread(scratch.remove)
        code = process.returncode
        conclusion = Conclusion.SUCCESS if code == 0 else Conclusion.FAILURE
        return CheckResult(
            name=command,
            command=command,
            conclusion=Conclusion.TIMED_OUT if timed_out else conclusion,
            output=kept.text(),
            exit_code=None if timed_out else code,
            duration_seconds=time.monotonic() - started,
        )

    async def _start(
        self, command: str, folder: Path, scratch: Path, output: int
    ) -> asyncio.subprocess.Process:
        places = {"HOME": scratch / "home", "TMPDIR": scratch / "tmp"}
        for place in places.values():
            place.mkdir()
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", **self._environment}
        environment |= {name: str(place) for name, place in places.items()}
        try:
            return await asyncio.create_subprocess_exec(
                *_program(command),
                cwd=folder, env=environment, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output, stderr=output,
            )  # fmt: skip
        except OSError as exc:
            raise OperationFailedError(
                f"The check {command!r} could not be started: {exc}"
            ) from exc


def _has_reaper() -> bool:
    return platform.system() == "Linux"


def _program(command: str) -> list[str]:
    if _has_reaper():
        return [sys.executable, "-I", "-S", str(Path(reaper.__file__)), command]
    return ["/bin/sh", "-c", command]


def _end(process: asyncio.subprocess.Process, *, kill: bool) -> None:
    """End what the check started: by its reaper where there is one, else its process group."""
    # The group outlives its leader when the command left something in the background.
    number = signal.SIGKILL if kill or not _has_reaper() else signal.SIGTERM
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class _HeadAndTail:
    """Keeps the first and the last half of what it is fed."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = max(1, limit_bytes // 2)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(0, room) :]
        surplus = len(self._tail) - self._half
        if surplus > 0:
            del self._tail[:surplus]
            self._dropped += surplus

    def text(self) -> str:
        gap = f"\n[... {self._dropped} bytes left out ...]\n".encode() if self._dropped else b""
        return (bytes(self._head) + gap + bytes(self._tail)).decode("utf-8", "replace")


async def _watch(
    process: asyncio.subprocess.Process, output: int, kept: _HeadAndTail, timeout_seconds: float
) -> bool:
    """Read output until the command ends or time is up; kill its whole group either way."""
    timed_out = False
    # Our own pipe: with asyncio's, `wait` lasts until background children close it as well.
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb")
    )
    reading = asyncio.create_task(_read(stream, kept))
    try:
        async with asyncio.timeout(timeout_seconds):
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        _end(process, kill=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
        _end(process, kill=True)
        await asyncio.wait({reading}, timeout=_GRACE_SECONDS)
        reading.cancel()
        transport.close()
        await process.wait()
    return timed_out


async def _read(stream: asyncio.StreamReader, kept: _HeadAndTail) -> None:
    while data := await stream.read(_CHUNK_BYTES):
        kept.feed(data)

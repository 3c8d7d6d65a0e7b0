"""Runs checks on this machine, with no sandbox: a clean environment and bounds, nothing more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

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
        scratch = await asyncio.to_thread(tempfile.mkdtemp, prefix="jjm-check-")
        started = time.monotonic()
        kept = _HeadAndTail(output_limit_bytes)
        reading, writing = os.pipe()
        try:
            try:
                process = await self._start(command, folder, Path(scratch), writing)
            except BaseException:
                os.close(reading)
                raise
            finally:
                os.close(writing)
            timed_out = await _watch(process, reading, kept, timeout_seconds)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        code = process.returncode
        conclusion = Conclusion.SUCCESS if code == 0 else Conclusion.FAILURE
        return CheckResult(
            name=command,
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
                "/bin/sh", "-c", command,
                cwd=folder, env=environment, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output, stderr=output,
            )  # fmt: skip
        except OSError as exc:
            raise OperationFailedError(
                f"The check {command!r} could not be started: {exc}"
            ) from exc


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
        # The group outlives its leader when the command left something in the background.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.wait({reading}, timeout=_GRACE_SECONDS)
        reading.cancel()
        transport.close()
        await process.wait()
    return timed_out


async def _read(stream: asyncio.StreamReader, kept: _HeadAndTail) -> None:
    while data := await stream.read(_CHUNK_BYTES):
        kept.feed(data)

"""Answers a question of Jules with what a command prints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
from collections.abc import Mapping

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.text import shorten

MOST_CHARACTERS = 20_000
"""Longest answer."""


class AnswerProgram:
    """Runs the command of an answer rule, as `services.queue_effects.AnswerCommand`."""

    def __init__(self, *, environment: Mapping[str, str], timeout_seconds: float = 60.0) -> None:
        """Run commands with this environment, each at most so long."""
        self._environment = dict(environment)
        self._timeout = timeout_seconds

    async def __call__(self, command: str, job: Job, question: str) -> tuple[str, str]:
        """Return what the command printed, and what went wrong, or an empty text.

        The command line is split as a shell would, and started without one. It gets one JSON
        object on stdin with `job` and `question`: untrusted text stays data.
        """
        given = json.dumps({"job": job.to_dict(), "question": question}).encode()
        try:
            words = shlex.split(command)
            if not words:
                return "", "its answer command is empty"
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as exc:
            return "", f"its answer command cannot be started ({exc})"
        try:
            async with asyncio.timeout(self._timeout):
                printed, complaint = await _conversation(process, given)
        except TimeoutError:
            _kill(process)
            await _let_end(process)
            return "", f"its answer command took longer than {self._timeout:g} s"
        finally:
            _kill(process)
        if process.returncode:
            said = shorten(complaint.decode("utf-8", "replace"), 200)
            return "", f"its answer command ended with {process.returncode} ({said})"
        return printed.decode("utf-8", "replace")[:MOST_CHARACTERS].strip(), ""


def _kill(process: asyncio.subprocess.Process) -> None:
    """End it and everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _let_end(process: asyncio.subprocess.Process) -> None:
    """Read what is left in its pipes, so that they are closed; not for long."""
    assert process.stdout is not None
    assert process.stderr is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2.0):
            await asyncio.gather(_beginning(process.stdout), _beginning(process.stderr))
            await process.wait()


async def _conversation(process: asyncio.subprocess.Process, given: bytes) -> tuple[bytes, bytes]:
    """Give it `given`, wait for its end, and return the beginnings of stdout and stderr."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    printed, complaint, _ = await asyncio.gather(
        _beginning(process.stdout), _beginning(process.stderr), _give(process.stdin, given)
    )
    await process.wait()
    return printed, complaint


async def _give(stream: asyncio.StreamWriter, given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read
        stream.write(given)
        await stream.drain()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.close()
        await stream.wait_closed()


async def _beginning(stream: asyncio.StreamReader) -> bytes:
    """Read to the end, however far that is, and keep what an answer may have."""
    kept = bytearray()
    while chunk := await stream.read(65536):
        kept += chunk[: 4 * MOST_CHARACTERS - len(kept)]
    return bytes(kept)

"""The server's process, and its stdin and stdout as the streams the MCP SDK reads.

The SDK has a stdio transport of its own. Ours differs because the Node server cuts chat
messages at 100 UTF-16 units: half a surrogate pair in an answer is JSON that the SDK's parser
refuses, so that the call would wait until its time-out. It also keeps stderr in a rotated log.
Source: google-jules-mcp facts, sections 5, 7 and 8.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from jules_job_manager.adapters.backends.mcp.sdk import Sdk
from jules_job_manager.adapters.backends.mcp.stderr_log import StderrLog
from jules_job_manager.adapters.half_pairs import repaired
from jules_job_manager.domain.text import shorten

EXIT_SECONDS = 2.0
TERM_SECONDS = 3.0
KILL_SECONDS = 2.0
LONGEST_ANSWER_BYTES = 64_000_000
_CHUNK = 65_536
_LOG = logging.getLogger(__name__)


class ServerProcess:
    """One run of the server, and whether it still lives."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Take the argument list and the whole environment; nothing starts yet."""
        self._command = tuple(command)
        self._environment = dict(environment)
        self._process: Process | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return None if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None."""
        return None if self._process is None else self._process.returncode

    @asynccontextmanager
    async def streams(self, sdk: Sdk, stderr: StderrLog) -> AsyncIterator[tuple[Any, Any]]:
        """Start the process, yield the SDK's read and write streams, and stop it for certain.

        Raises:
            OSError: the program cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE,
            env=self._environment, start_new_session=True,
        )  # fmt: skip
        self._process = process
        try:
            async with self._pumped(process, sdk, stderr) as streams:
                yield streams
        finally:
            # Reached also when a cancellation broke the orderly stop.
            _signal_group(process, signal.SIGKILL)
            stderr.close()

    @asynccontextmanager
    async def _pumped(
        self, process: Process, sdk: Sdk, stderr: StderrLog
    ) -> AsyncIterator[tuple[Any, Any]]:
        to_session, from_server = anyio.create_memory_object_stream[Any](0)
        to_server, outgoing = anyio.create_memory_object_stream[Any](0)
        async with (
            to_session, from_server, to_server, outgoing, anyio.create_task_group() as group
        ):  # fmt: skip
            group.start_soon(_read_stdout, process, to_session, sdk)
            group.start_soon(_write_stdin, process, outgoing, to_session)
            group.start_soon(_drain_stderr, process, stderr)
            try:
                yield from_server, to_server
            finally:
                with anyio.CancelScope(shield=True):
                    from_server.close()
                    to_server.close()
                    await stop(process)
                group.cancel_scope.cancel()


async def stop(process: Process) -> None:
    """End the process and its group: close stdin, wait, SIGTERM, wait, SIGKILL; reap it.

    Closing stdin is not enough once a browser was started (facts, section 8, 10).
    """
    if process.stdin is not None:
        process.stdin.close()
    if not await _ended_within(process, EXIT_SECONDS):
        _signal_group(process, signal.SIGTERM)
        if not await _ended_within(process, TERM_SECONDS):
            _signal_group(process, signal.SIGKILL)
            if not await _ended_within(process, KILL_SECONDS):
                _LOG.warning("the MCP server %d outlived SIGKILL", process.pid)
    # A browser can outlive the server that started it.
    _signal_group(process, signal.SIGKILL)
    transport = getattr(process, "_transport", None)
    if transport is not None:  # a child in another group may hold the pipes open for ever
        transport.close()


async def _ended_within(process: Process, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        return False
    return True


def _signal_group(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


async def _read_stdout(process: Process, to_session: MemoryObjectSendStream[Any], sdk: Sdk) -> None:
    """Hand each JSON line to the session; then go on reading, so that the server can end."""
    assert process.stdout is not None
    listening = True
    rest = b""
    async with to_session:
        while chunk := await process.stdout.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_ANSWER_BYTES:
                _LOG.warning("an answer of the MCP server is too long and was dropped")
                rest = b""
            for line in lines if listening else ():
                message = _parsed(line, sdk)
                if message is None:
                    continue
                try:
                    await to_session.send(message)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    listening = False
                    break


def _parsed(line: bytes, sdk: Sdk) -> Any:
    text = line.decode("utf-8", errors="replace").strip()
    if not text:
        return None
    try:
        message = sdk.message_adapter.validate_json(repaired(text), by_name=False)
    except ValueError:
        # `npm start` prints a banner; a server's stray print must not break the talk.
        _LOG.warning("skipped what is no MCP message on the server's stdout: %s", shorten(text, 80))
        return None
    return sdk.session_message(message)


async def _write_stdin(
    process: Process,
    outgoing: MemoryObjectReceiveStream[Any],
    to_session: MemoryObjectSendStream[Any],
) -> None:
    assert process.stdin is not None
    try:
        async for message in outgoing:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
    except OSError:
        # The server is gone: closing tells the session, so that no call waits for ever.
        await to_session.aclose()


async def _drain_stderr(process: Process, log: StderrLog) -> None:
    assert process.stderr is not None
    while chunk := await process.stderr.read(_CHUNK):
        log.feed(chunk)

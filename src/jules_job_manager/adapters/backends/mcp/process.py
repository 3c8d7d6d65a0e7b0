"""Supervises the MCP server: started when needed, one call at a time, restarted when it fails.

The Node server works on one page for all requests, so overlapping calls act on the wrong task.
The lock also holds against our own time-outs: after one the server is still at work, so it is
stopped before the next call. Source: google-jules-mcp facts, section 8, 1.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.backends.mcp.sdk import (
    CONNECTION_CLOSED,
    REQUEST_TIMED_OUT,
    Sdk,
    load_sdk,
)
from jules_job_manager.adapters.backends.mcp.stderr_log import StderrLog
from jules_job_manager.adapters.backends.mcp.transport import ServerProcess
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import MCPConnectionError
from jules_job_manager.ports.clock import Clock

FIRST_BACK_OFF_SECONDS = 0.5
LONGEST_BACK_OFF_SECONDS = 10.0
FAILURES_TO_GIVE_UP = 5
GIVEN_UP_SECONDS = 30.0
_LOG = logging.getLogger(__name__)
_SECRET_NAMES = ("COOKIE", "KEY", "TOKEN", "SECRET", "PASSWORD")


class CallTimedOutError(Exception):
    """The server gave no answer in time; it was stopped, and may have acted."""


class ServerGoneError(Exception):
    """The connection ended during the call; the server may have acted."""


class RefusedError(Exception):
    """The server answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the error's `code` and `message` as they came."""
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    method: str
    params: dict[str, Any]
    timeout_seconds: float
    answer: asyncio.Future[dict[str, Any]]


class _Connection:
    """One started server. The SDK's client must be entered and left by one task: this one owns it."""

    def __init__(self, sdk: Sdk, server: ServerProcess, stderr: StderrLog) -> None:
        self._sdk = sdk
        self.server = server
        self._stderr = stderr
        self._calls: asyncio.Queue[_Call | None] = asyncio.Queue()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Not in a TaskGroup: it lives from the first call to `aclose`, which awaits it.
        self._owner = asyncio.create_task(self._own(), name="mcp-server-owner")

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Wait for the handshake.

        Raises:
            MCPConnectionError: the server did not start, ended, or was too slow; it is stopped.
        """
        try:
            first: tuple[asyncio.Future[None], ...] = (self._ready, self._owner)
            await asyncio.wait(first, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._ready.done():
                return
            late = not self._owner.done()
        except asyncio.CancelledError:
            await self.aclose()
            raise
        failure = await self.aclose()
        raise _start_error(failure, self.server, self._stderr, late=late, limit=timeout_seconds)

    async def call(
        self, method: str, params: dict[str, Any], timeout_seconds: float
    ) -> dict[str, Any]:
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        await self._calls.put(
            _Call(method=method, params=params, timeout_seconds=timeout_seconds, answer=answer)
        )
        first: tuple[asyncio.Future[Any], ...] = (answer, self._owner)
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ServerGoneError("the connection ended")
        return answer.result()

    async def aclose(self) -> BaseException | None:
        """Stop the server and return what its task failed with, if it did."""
        if self._calls.empty() and self._ready.done():
            self._calls.put_nowait(None)
            await asyncio.wait({self._owner}, timeout=0)
        if not self._owner.done():
            self._owner.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({self._owner})
        if self._owner.cancelled():
            return None
        return self._owner.exception()

    async def _own(self) -> None:
        streams = self.server.streams(self._sdk, self._stderr)
        async with self._sdk.client(streams, mode="legacy") as client:
            self._ready.set_result(None)
            while (call := await self._calls.get()) is not None:
                await self._answer(client, call)

    async def _answer(self, client: Any, call: _Call) -> None:
        request = self._sdk.request(method=call.method, params=call.params)
        try:
            result = await client.session.send_request(
                request, self._sdk.any_object, request_read_timeout_seconds=call.timeout_seconds
            )
        except self._sdk.error as exc:
            _settle(call.answer, _failure(exc))
        except ValueError as exc:  # pydantic's ValidationError: not the shape MCP asks for
            _settle(call.answer, RefusedError(0, f"the answer is malformed: {exc}"))
        else:
            _settle(call.answer, result)


class McpProcess:
    """The server, whether it runs at the moment or not."""

    def __init__(
        self,
        *,
        command: Sequence[str],
        environment: Mapping[str, str],
        start_timeout_seconds: float,
        stderr_log: Path | None,
        clock: Clock,
    ) -> None:
        """Take what is needed to start; the process starts with the first call.

        Args:
            command: Argument list; never a shell line.
            environment: The child's whole environment.
            start_timeout_seconds: Longest wait for start and handshake, > 0.
            stderr_log: File for the server's stderr, rotated; None keeps the last lines only.
            clock: For back-off between restarts.
        """
        self._command = tuple(command)
        self._environment = dict(environment)
        self._start_timeout_seconds = start_timeout_seconds
        self._stderr_log = stderr_log
        self._clock = clock
        self._lock = asyncio.Lock()
        self._connection: _Connection | None = None
        self._is_dirty = False
        self._failures = 0
        self._failed_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        return None if self._connection is None else self._connection.server.pid

    async def start(self) -> None:
        """Start the server now, if it is not running.

        Raises:
            MCPConnectionError: it does not start.
            MissingExtraError: the MCP SDK is not installed.
        """
        async with self._lock:
            await self._connected()

    async def request(
        self, method: str, params: Mapping[str, Any], *, timeout_seconds: float
    ) -> dict[str, Any]:
        """Send one request and return the result object; calls wait for each other.

        Raises:
            MCPConnectionError: the server cannot be started: nothing was sent.
            CallTimedOutError: no answer within `timeout_seconds`; the server was stopped.
            ServerGoneError: the connection ended during the call.
            RefusedError: the server answered with an error.
            MissingExtraError: the MCP SDK is not installed.
        """
        async with self._lock:
            connection = await self._connected()
            self._is_dirty = True  # stays so when we are cancelled while the server works
            try:
                result = await connection.call(method, _encodable(params), timeout_seconds)
            except (CallTimedOutError, ServerGoneError):
                self._note_failure()
                await self._drop()
                raise
            except RefusedError:
                self._is_dirty = False
                self._failures = 0
                raise
            self._is_dirty = False
            self._failures = 0
            return result

    def restart_before_next_call(self) -> None:
        """Have the server replaced: it answers, but its browser is dead."""
        self._is_dirty = True

    async def aclose(self) -> None:
        """Stop the server. Safe to call twice; a later call would start it again."""
        async with self._lock:
            await self._drop()

    async def _connected(self) -> _Connection:
        current = self._connection
        if current is not None and not self._is_dirty and current.server.is_alive:
            return current
        if current is not None:
            if not current.server.is_alive:
                self._note_failure()
            await self._drop()
        await self._wait_before_restart()
        sdk = load_sdk()
        secrets = [
            value
            for name, value in self._environment.items()
            if any(word in name.upper() for word in _SECRET_NAMES)
        ]
        stderr = StderrLog(self._stderr_log, secrets=secrets)
        connection = _Connection(sdk, ServerProcess(self._command, self._environment), stderr)
        try:
            await connection.wait_ready(self._start_timeout_seconds)
        except MCPConnectionError:
            self._note_failure()
            raise
        self._connection, self._is_dirty = connection, False
        return connection

    async def _wait_before_restart(self) -> None:
        """Back off after failures in a row; after five of them, refuse for a while."""
        if not self._failures:
            return
        since = self._clock.monotonic_seconds() - self._failed_at
        if self._failures >= FAILURES_TO_GIVE_UP and since < GIVEN_UP_SECONDS:
            raise MCPConnectionError(
                f"The MCP server failed {self._failures} times in a row and is left alone for a moment.",
                hint=f"Try again in {GIVEN_UP_SECONDS:.0f} seconds; its messages are in the log.",
            )
        wanted = min(FIRST_BACK_OFF_SECONDS * 2 ** (self._failures - 1), LONGEST_BACK_OFF_SECONDS)
        if since < wanted:
            await self._clock.sleep(wanted - since)

    def _note_failure(self) -> None:
        self._failures += 1
        self._failed_at = self._clock.monotonic_seconds()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            failure = await connection.aclose()
            if failure is not None:
                _LOG.warning("the MCP server's connection ended with: %s", failure)


def _settle(answer: asyncio.Future[dict[str, Any]], outcome: dict[str, Any] | Exception) -> None:
    if answer.done():  # the caller was cancelled
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _failure(exc: Exception) -> Exception:
    code, message = int(getattr(exc, "code", 0)), str(exc)
    if code == REQUEST_TIMED_OUT:
        return CallTimedOutError(message)
    if code == CONNECTION_CLOSED:
        return ServerGoneError(message)
    return RefusedError(code, message)


def _start_error(
    failure: BaseException | None,
    server: ServerProcess,
    stderr: StderrLog,
    *,
    late: bool,
    limit: float,
) -> MCPConnectionError:
    last = next((shorten(line, 200) for line in reversed(stderr.tail) if line.strip()), "")
    said = f" Its last words: {last}" if last else ""
    if isinstance(failure, OSError) and server.pid is None:
        error = MCPConnectionError(
            f"The MCP server cannot be started: {failure.strerror or failure}.",
            hint="Check mcp_server.command, or NODE_PATH and MCP_SERVER_PATH.",
        )
    elif late:
        error = MCPConnectionError(
            f"The MCP server did not answer within {limit:g} s of its start.{said}",
            hint="Start it by hand to see why, or raise mcp_server.start_timeout_seconds.",
        )
    else:
        error = MCPConnectionError(
            f"The MCP server ended during its start (exit code {server.exit_code}).{said}",
            hint="Start it by hand with `node dist/index.js` to see why; never with `npm start`.",
        )
    error.__cause__ = failure
    return error


def _encodable(value: Any) -> Any:
    """Return JSON values with lone surrogates replaced, which no UTF-8 pipe can carry."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(member) for member in value]
    return value

"""MCPClient of tickets JJM-003 and JJM-004: the Node server's tools, called one after the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from jules_job_manager.adapters.backends.mcp.backend import McpBackend
from jules_job_manager.adapters.backends.mcp.environment import child_environment
from jules_job_manager.adapters.backends.mcp.errors import Failure, error_from, needs_restart
from jules_job_manager.adapters.backends.mcp.process import (
    CallTimedOutError,
    McpProcess,
    RefusedError,
    ServerGoneError,
)
from jules_job_manager.adapters.resilience import Resilience
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.errors import JulesManagerError
from jules_job_manager.scripting.background import Synchronous

CREATE_TIMEOUT_FACTOR = 2.5
"""A create has some ten page steps of up to 30 s each. Source: google-jules-mcp facts, section 8, 9."""
_CREATING = {"jules_create_task", "jules_bulk_create_tasks"}
MOST_PAGES = 100


class MCPClient(Synchronous):
    """An MCP server on stdio. It starts with the first call and is restarted when it fails.

    Usable with `with`; otherwise call `close`.
    """

    def __init__(
        self,
        server_path: str | Path | None = None,
        *,
        node_path: str = "node",
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 70.0,
    ) -> None:
        """Describe the server; nothing starts yet.

        Args:
            server_path: The server's JavaScript file, run with `node_path`.
            node_path: The Node.js program.
            command: A whole argument list in place of these two.
            environment: Variables for the server beside a small inherited set.
            timeout_seconds: Longest wait for one call, > 0; a call that creates tasks gets 2.5 times
                as long.

        Raises:
            ValueError: neither or both of `server_path` and `command` are given.
        """
        if (server_path is None) == (command is None):
            raise ValueError("Give either server_path or command.")
        super().__init__()
        given = dict(environment or {})
        self._clock = SystemClock()
        self._timeout_seconds = timeout_seconds
        self._data_path = given.get("JULES_DATA_PATH", "")
        self._process = McpProcess(
            command=command if command is not None else [node_path, str(server_path)],
            environment=child_environment(os.environ, given),
            start_timeout_seconds=min(timeout_seconds, 15.0),
            stderr_log=None,
            clock=self._clock,
        )

    def list_tools(self) -> list[dict[str, Any]]:
        """Return the server's tools as it describes them (`name`, `description`, `inputSchema`).

        Raises:
            MCPConnectionError: the server cannot be started, ended, or did not answer in time.
        """
        tools: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = self._send_request("tools/list", {"cursor": cursor} if cursor else {})
            found = page.get("tools")
            tools += [tool for tool in found or () if isinstance(tool, dict)]
            cursor = page.get("nextCursor")
            if not cursor:
                break
        return tools

    def call_tool(
        self, tool_name: str, arguments: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call a tool once and return its result object, as the server gave it.

        Raises:
            MCPConnectionError: the server cannot be started: nothing was sent.
            UnclearOutcomeError: no answer came; it may have happened.
            UnsupportedOperationError: there is no such tool.
            OperationFailedError: the tool failed, or reports an error; other children of
                JulesManagerError where the server's text names a cause.
        """
        params = {"name": tool_name, "arguments": dict(arguments or {})}
        result = self._send_request("tools/call", params, operation=tool_name, repeatable=False)
        if result.get("isError"):
            raise self._error(RefusedError(0, _text(result)), tool_name, repeatable=False)
        return result

    def __enter__(self) -> Self:
        """Start the server."""
        try:
            self._run(self._process.start)
        except BaseException:
            self.close()
            raise
        return self

    def backend(self) -> McpBackend:
        """Return the task operations on this server; they share its process and its one call at a time."""
        return McpBackend(
            process=self._process,
            resilience=Resilience(clock=self._clock, max_tries=2),
            clock=self._clock,
            call_timeout_seconds=self._timeout_seconds,
            create_timeout_seconds=self._timeout_seconds * CREATE_TIMEOUT_FACTOR,
            data_path=Path(self._data_path).expanduser() if self._data_path else None,
        )

    async def _release(self) -> None:
        await self._process.aclose()

    def _send_request(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        operation: str | None = None,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        creates = params.get("name") in _CREATING
        seconds = self._timeout_seconds * (CREATE_TIMEOUT_FACTOR if creates else 1.0)

        async def once() -> dict[str, Any]:
            return await self._process.request(method, params, timeout_seconds=seconds)

        try:
            return self._run(once)
        except (CallTimedOutError, ServerGoneError, RefusedError) as exc:
            raise self._error(exc, operation or method, repeatable=repeatable) from exc

    def _error(self, failure: Failure, operation: str, *, repeatable: bool) -> JulesManagerError:
        if needs_restart(failure):
            self._process.restart_before_next_call()
        return error_from(failure, operation, repeatable=repeatable)


def _text(result: Mapping[str, Any]) -> str:
    blocks = result.get("content")
    texts = [
        str(block["text"])
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, Mapping) and "text" in block
    ]
    return "\n".join(texts)

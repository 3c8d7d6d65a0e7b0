"""The server's process: JSON-RPC lines in, JSON-RPC lines out, as the real one talks.

Written by hand, because an MCP library exists to prevent what must be shown here: answers before
the handshake, arguments nobody checks, silence on junk, one error code for everything (ADR 4).
Source: google-jules-mcp facts, sections 3, 6, 7 and 8.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from jules_job_manager.adapters.backends.simulator.mcp_face.catalogue import (
    ACTIVE_TASKS,
    RESOURCES,
    TOOLS,
    fixed_resource,
)
from jules_job_manager.adapters.backends.simulator.mcp_face.javascript import stringify
from jules_job_manager.adapters.backends.simulator.mcp_face.tools import ToolError, Tools

PROTOCOLS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
INTERNAL, METHOD_NOT_FOUND, INVALID_REQUEST = -32603, -32601, -32600
LONGEST_LINE = 16_000_000


class RpcError(Exception):
    """An error answer."""

    def __init__(self, code: int, message: str) -> None:
        """Keep `code` and `message`."""
        super().__init__(message)
        self.code = code


class McpFace:
    """One run of the server."""

    def __init__(self, tools: Tools, write: Callable[[str], None]) -> None:
        """Answer with `write`, a line at a time."""
        self._tools = tools
        self._write = write

    async def serve(self, lines: asyncio.StreamReader) -> None:
        """Answer until the input ends; requests are handled at the same time, as there."""
        async with asyncio.TaskGroup() as group:
            while line := await lines.readline():
                request = _request(line)
                if request is not None:
                    group.create_task(self._respond(request))

    async def _respond(self, request: Mapping[str, Any]) -> None:
        answer: dict[str, Any]
        try:
            result = await self._result(str(request["method"]), request.get("params"))
            answer = {"result": result}
        except RpcError as exc:
            answer = {"error": {"code": exc.code, "message": str(exc)}}
        self._write(stringify({**answer, "jsonrpc": "2.0", "id": request["id"]}))

    async def _result(self, method: str, params: Any) -> dict[str, Any]:
        given = params if isinstance(params, dict) else {}
        match method:
            case "initialize":
                asked = given.get("protocolVersion")
                return {
                    "protocolVersion": asked if asked in PROTOCOLS else PROTOCOLS[-1],
                    "capabilities": {"tools": {}, "resources": {}},
                    "serverInfo": {"name": "google-jules-mcp", "version": "1.0.0"},
                }
            case "ping":
                return {}
            case "tools/list":
                return {"tools": list(TOOLS)}
            case "tools/call":
                return await self._call(params)
            case "resources/list":
                return {"resources": list(RESOURCES)}
            case "resources/read":
                return self._read(given.get("uri"))
        raise RpcError(METHOD_NOT_FOUND, "Method not found")

    async def _call(self, params: Any) -> dict[str, Any]:
        _check_shape(params)
        name = params["name"]
        try:
            text = await self._tools.call(name, params.get("arguments"))
        except ToolError as exc:
            message = f"MCP error {INTERNAL}: Error in {name}: {exc}"
            raise RpcError(INTERNAL, message) from exc
        return {"content": [{"type": "text", "text": text}]}

    def _read(self, uri: object) -> dict[str, Any]:
        if uri == ACTIVE_TASKS:
            try:
                kind, text = "application/json", self._tools.active_tasks()
            except ValueError as exc:
                raise RpcError(INTERNAL, str(exc)) from exc
        else:
            found = fixed_resource(str(uri))
            if found is None:
                message = f"MCP error {INVALID_REQUEST}: Unknown resource: {uri}"
                raise RpcError(INVALID_REQUEST, message)
            kind, text = found
        return {"contents": [{"uri": uri, "mimeType": kind, "text": text}]}


def _request(line: bytes) -> Mapping[str, Any] | None:
    """Return the request of a line; None for junk, answers and notifications: they get no answer."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        return None
    is_request = isinstance(value.get("method"), str) and isinstance(value.get("id"), int | str)
    return value if is_request else None


def _check_shape(params: Any) -> None:
    """Refuse what the SDK refuses before a tool is reached: a list of problems as the message."""
    problems: list[tuple[list[str], str, str]] = []
    if not isinstance(params, dict):
        problems.append((["params"], "object", _kind(params)))
    elif not isinstance(params.get("name"), str):
        problems.append((["params", "name"], "string", _kind(params.get("name"))))
    elif "arguments" in params and not isinstance(params["arguments"], dict):
        received = "null" if params["arguments"] is None else _kind(params["arguments"])
        problems.append((["params", "arguments"], "record", received))
    if problems:
        listed = [
            {
                "expected": expected,
                "code": "invalid_type",
                "path": path,
                "message": f"Invalid input: expected {expected}, received {received}",
            }
            for path, expected, received in problems
        ]
        raise RpcError(INTERNAL, stringify(listed, indent=2))


def _kind(value: Any) -> str:
    kinds = {type(None): "undefined", str: "string", bool: "boolean", list: "array", dict: "object"}
    return kinds.get(type(value), "number")

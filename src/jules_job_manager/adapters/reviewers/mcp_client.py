"""Calls one tool of an MCP server: the request on stdin, the tool's text on stdout.

A program of its own, run by path in the sandbox, so it imports nothing of this package.
Source: the MCP Python SDK 2.3, `mcp.Client`, read 2026-11.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any


def text_of(result: Any) -> str:
    """Return the answer in a tool's result.

    Raises:
        ValueError: it is an error, or neither one text nor an object.
    """
    texts = [part.text for part in result.content if part.type == "text"]
    if result.is_error:
        raise ValueError("the tool failed: " + " ".join(texts)[:500])
    if len(result.content) == 1 and texts:
        return str(texts[0])
    if isinstance(result.structured_content, dict):
        return json.dumps(result.structured_content)
    raise ValueError("the tool gave neither one text nor an object")


async def ask(
    request: dict[str, Any], *, tool: str, timeout_seconds: float, argv: list[str]
) -> str:
    """Start the server, call the tool with the request, and return what it said."""
    from mcp import Client, StdioServerParameters

    server = StdioServerParameters(command=argv[0], args=argv[1:], env=dict(os.environ))
    async with Client(server, read_timeout_seconds=timeout_seconds) as client:
        return text_of(await client.call_tool(tool, {"request": request}))


def reason(exc: BaseException) -> str:
    """Return what went wrong, on one line; the SDK wraps it in groups."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return " ".join(str(exc).split()) or type(exc).__name__


def main() -> int:
    """Do what the arguments say: folder of packages, tool, seconds, and the server's command."""
    packages, tool, seconds, *argv = sys.argv[1:]
    sys.path.append(packages)
    request = json.load(sys.stdin)
    try:
        answer = asyncio.run(ask(request, tool=tool, timeout_seconds=float(seconds), argv=argv))
    except Exception as exc:  # noqa: BLE001 - whatever it is, its last line is shown to people
        sys.stderr.write(f"\n{reason(exc)}\n")
        return 1
    sys.stdout.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())

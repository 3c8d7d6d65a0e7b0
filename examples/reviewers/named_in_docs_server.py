#!/usr/bin/env python3
"""The reviewer beside this file as a tool of an MCP server on stdio.

    [[reviewers]]
    name = "documents"
    mcp = "python3 base/tools/named_in_docs_server.py"
    tool = "review"

Needs the Python package mcp, in jjm's environment and in that of the server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import named_in_docs
from mcp.server import MCPServer

server = MCPServer("documents")


@server.tool()
def review(request: dict[str, Any]) -> dict[str, Any]:
    """Judge a request of jjm."""
    return named_in_docs.review(request, Path("merged"))


if __name__ == "__main__":
    server.run("stdio")

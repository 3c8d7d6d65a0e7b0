"""Runs the server on this process' stdin and stdout."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.mcp_face.data_file import DataFile
from jules_job_manager.adapters.backends.simulator.mcp_face.server import LONGEST_LINE, McpFace
from jules_job_manager.adapters.backends.simulator.mcp_face.tools import Tools


async def run(simulator: Simulator, data_path: Path, environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM, or until stdin ends while no "browser" is open.

    With a browser open the real server outlives its stdin too (facts, section 8, 10).
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await asyncio.sleep(simulator.real_seconds(simulator.scenario.mcp.start_seconds))
    _say("Google Jules MCP Server running on stdio")
    _say(_banner(data_path, environ))
    tools = Tools(simulator, DataFile(data_path), environ)
    lines = asyncio.StreamReader(limit=LONGEST_LINE)
    if _can_be_watched(sys.stdin.fileno()):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    else:
        lines.feed_data(await asyncio.to_thread(sys.stdin.buffer.read))
        lines.feed_eof()
    serving = asyncio.create_task(McpFace(tools, _write_line).serve(lines))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            if tools.browser_is_open:
                await stopping
        if stop.is_set():
            _say("Shutting down Jules MCP Server...")
    finally:
        for task in (serving, stopping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _can_be_watched(descriptor: int) -> bool:
    """Return whether an event loop can wait on it: not so a file or /dev/null, which are read at once."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


_WRITING = threading.Lock()


def _write_line(text: str) -> None:
    with _WRITING, contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(text.encode("utf-8") + b"\n")
        sys.stdout.buffer.flush()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _banner(data_path: Path, environ: Mapping[str, str]) -> str:
    headless = "false" if environ.get("HEADLESS") == "false" else "true"
    debug = "true" if environ.get("DEBUG") == "true" else "false"
    timeout = environ.get("TIMEOUT") or "30000"
    return (
        f"Configuration: {{\n  headless: {headless},\n  timeout: {timeout},\n  debug: {debug},\n"
        f"  dataPath: '{data_path}'\n}}"
    )

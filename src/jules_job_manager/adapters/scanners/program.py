"""Runs a scanner on files that were written for it alone, under names that say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from jules_job_manager.adapters.scratch_folders import ScratchFolder
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import OperationFailedError

TIMEOUT_SECONDS = 120.0
"""A hostile file can make a regular expression run for ever."""
MOST_OUTPUT_BYTES = 50_000_000
MISSING = "The extra scan is not installed: pip install 'jules-job-manager[scan]'."
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")


async def run_on(files: Sequence[tuple[str, bytes]], argv: Sequence[str], *, name: str) -> bytes:
    """Return what the scanner prints about the files, which are `0.py`, `1.toml` and so on there.

    Args:
        files: Of each the ending of its name and its content.
        argv: The scanner; it runs in their folder, with an environment of its own.
        name: What it is called in messages.

    Raises:
        OperationFailedError: it cannot be started, fails, prints too much or takes too long.
    """
    scratch = await asyncio.to_thread(ScratchFolder, "jjm-scan-")
    try:
        folder = scratch.path / "files"
        await asyncio.to_thread(_write, folder, files)
        return await _output(argv, folder, name)
    finally:
        await asyncio.to_thread(scratch.remove)


def index_of(name: str) -> int:
    """Return which of the files a name or path stands for."""
    return int(Path(name).name.partition(".")[0])


def _write(folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
    folder.mkdir()
    for number, (suffix, content) in enumerate(files):
        ending = suffix if _SUFFIX.match(suffix) else ""
        (folder / f"{number}{ending}").write_bytes(content)


async def _output(argv: Sequence[str], folder: Path, name: str) -> bytes:
    environment = {"LANG": "C.UTF-8", "HOME": str(folder), "PATH": os.defpath}
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=folder, env=environment, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as exc:
        raise OperationFailedError(f"{name} cannot be started: {exc}.") from exc
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            printed, said = await process.communicate()
    except TimeoutError as exc:
        raise OperationFailedError(f"{name} took longer than {TIMEOUT_SECONDS:g} s.") from exc
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode or len(printed) > MOST_OUTPUT_BYTES:
        why = shorten(said.decode("utf-8", "replace")[-300:], 300) or "it printed too much"
        raise OperationFailedError(f"{name} failed ({why}).")
    return printed

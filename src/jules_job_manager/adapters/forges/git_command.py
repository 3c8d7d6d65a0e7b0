"""Runs git: argument lists, no prompts, no hooks, none of our GIT_* variables."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

from jules_job_manager.errors import ForgeError

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_TIMEOUT_SECONDS = 600.0
_SAFE_SETTINGS = (
    "core.hooksPath=/dev/null",
    "protocol.ext.allow=never",
    "commit.gpgSign=false",
    "user.name=Jules Job Manager",
    "user.email=jjm@localhost",
    "gc.auto=0",
    "core.fsmonitor=false",
    "core.symlinks=true",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class GitResult:
    """How one git command ended."""

    code: int
    stdout: str
    stderr: str


def mask(text: str) -> str:
    """Return `text` with user names and passwords in addresses replaced."""
    return _CREDENTIALS.sub("***", text)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_MERGE_AUTOEDIT": "no"}


async def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> GitResult:
    """Run git in `folder` and return how it ended, whatever the exit code.

    Raises:
        ForgeError: git is not installed, or took longer than ten minutes.
    """
    settings = [part for setting in _SAFE_SETTINGS for part in ("-c", setting)]
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            "git", *settings, *arguments, cwd=folder, env=_environment(),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else pipe, stdout=pipe, stderr=pipe,
        )  # fmt: skip
    except OSError as exc:
        raise ForgeError(
            f"Git could not be started: {exc}", hint="Install git and make sure it is on the PATH."
        ) from exc
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            out, err = await process.communicate(stdin)
    except TimeoutError as exc:
        raise ForgeError(f"git {arguments[0]} took too long and was stopped.") from exc
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return GitResult(
        code=process.returncode or 0,
        stdout=out.decode("utf-8", "replace"),
        stderr=mask(err.decode("utf-8", "replace")),
    )


async def git_ok(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git in `folder` and return what it printed, without the last line end.

    Raises:
        ForgeError: it did not exit with 0.
    """
    result = await git(folder, *arguments, stdin=stdin)
    if result.code != 0:
        last = (result.stderr or mask(result.stdout)).strip().splitlines()
        raise ForgeError(
            f"git {arguments[0]} failed: {last[-1] if last else f'exit code {result.code}'}",
            context={"stderr": result.stderr[-2000:], "exit_code": result.code},
        )
    return result.stdout.rstrip("\n")

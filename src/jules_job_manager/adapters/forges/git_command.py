"""Runs git: argument lists, no prompts, no hooks, none of our GIT_* variables.

What touches the files of a delivery reads no configuration but the mirror's own: a filter, hook
or merge driver of the user's would run on hostile content. Only `fetch` and `push`, which check
nothing out, read the user's configuration, for credentials, proxies and rewritten addresses.
Source: git documentation, "Environment Variables" and gitattributes "filter", read 2026-11.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jules_job_manager.domain.masking import masked
from jules_job_manager.errors import ForgeError

_TIMEOUT_SECONDS = 600.0
_SAFE_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=true",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "user.name=Jules Job Manager",
    "user.email=jjm@localhost",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "protocol.git.allow=always",
    "protocol.file.allow=always",
)
_GRACE_SECONDS = 2.0
_SIGNALS = (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM))
_REMOTE_COMMANDS = frozenset({"fetch", "ls-remote", "push"})


@dataclass(frozen=True, kw_only=True, slots=True)
class GitResult:
    """How one git command ended."""

    code: int
    stdout: str
    stderr: str


def safe_environment(command: str, date: str = "") -> dict[str, str]:
    """Return the variables for a git command; `date` is that of the commits it makes."""
    own = {"GIT_TERMINAL_PROMPT": "0", "GIT_MERGE_AUTOEDIT": "no", "GIT_ATTR_NOSYSTEM": "1"}
    if date:
        own |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    if command not in _REMOTE_COMMANDS:
        own |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, **own, "LC_ALL": "C"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RawResult:
    """How one git command ended, its output byte for byte."""

    code: int
    stdout: bytes
    stderr: str


async def git(
    folder: Path, *arguments: str, stdin: bytes | None = None, date: str = "",
    environment: Mapping[str, str] | None = None,
) -> GitResult:  # fmt: skip
    """Run git in `folder` and return how it ended, whatever the exit code.

    Args:
        folder: Where.
        arguments: After `git`.
        stdin: What it reads.
        date: Of the commits it makes, as git reads it; empty: now.
        environment: Further variables; their values are masked in what git says.

    Raises:
        ForgeError: git is not installed, or took longer than ten minutes.
    """
    raw = await git_raw(folder, *arguments, stdin=stdin, date=date, environment=environment)
    text = raw.stdout.decode("utf-8", "replace")
    return GitResult(code=raw.code, stdout=text, stderr=raw.stderr)


def safe_words(*arguments: str) -> list[bytes]:
    """Return the argument list of a git command, as UTF-8 whatever the locale."""
    settings = [part for setting in _SAFE_SETTINGS for part in ("-c", setting)]
    return [part.encode() for part in ("git", *settings, *arguments)]


async def git_raw(
    folder: Path, *arguments: str, stdin: bytes | None = None, date: str = "",
    environment: Mapping[str, str] | None = None,
) -> RawResult:  # fmt: skip
    """Like `git`, for output that is no text, or whose very bytes matter."""
    pipe = asyncio.subprocess.PIPE
    more = dict(environment or {})
    try:
        process = await asyncio.create_subprocess_exec(
            *safe_words(*arguments), cwd=folder, env=safe_environment(arguments[0], date) | more,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else pipe, stdout=pipe, stderr=pipe,
            start_new_session=True,  # a Ctrl-C at the terminal must not reach a push half done
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
            await _end(process)
    stderr = masked(err.decode("utf-8", "replace"), [v for v in more.values() if len(v) > 8])
    return RawResult(code=process.returncode or 0, stdout=out, stderr=stderr)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End git and all that it started, which may hold our pipes open; politely first: it has locks."""
    for number in _SIGNALS:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
                return


async def git_ok(
    folder: Path, *arguments: str, stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Run git in `folder` and return what it printed, without the last line end.

    Raises:
        ForgeError: it did not exit with 0.
    """
    result = await git(folder, *arguments, stdin=stdin, environment=environment)
    if result.code != 0:
        last = (result.stderr or masked(result.stdout)).strip().splitlines()
        raise ForgeError(
            f"git {arguments[0]} failed: {last[-1] if last else f'exit code {result.code}'}",
            context={"stderr": result.stderr[-2000:], "exit_code": result.code},
        )
    return result.stdout.rstrip("\n")

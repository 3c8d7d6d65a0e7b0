"""Locks that git left in a mirror when it was killed (kill -9, no memory, no power).

Git never removes them itself: every later command that needs one fails for ever.
Source: git documentation, "gitrepository-layout" and "git update-ref", read 2026-11.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from jules_job_manager.adapters.forges.git_command import git_ok
from jules_job_manager.errors import ForgeError

LEFT_AFTER_SECONDS = 10.0
"""Older locks are nobody's: git holds one for the moment of writing, and we hold the mirror's own."""
_PLACES = ("packed-refs.lock", "config.lock", "HEAD.lock", "shallow.lock", "gc.pid.lock")


async def alone_ok(
    mirror: Path, *arguments: str, stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Run git as `git_ok` does, for the holder of the mirror's lock; locks that were left go first.

    Raises:
        ForgeError: it did not exit with 0.
    """
    try:
        return await git_ok(mirror, *arguments, stdin=stdin, environment=environment)
    except ForgeError as exc:
        if ".lock'" not in str(exc.context.get("stderr", "")):
            raise
        if not await asyncio.to_thread(_remove_left, mirror):
            raise
    return await git_ok(mirror, *arguments, stdin=stdin, environment=environment)


def _remove_left(mirror: Path) -> int:
    """Remove locks that are older than git holds one; return how many there were."""
    found = [mirror / name for name in _PLACES]
    found += (mirror / "refs").rglob("*.lock")
    removed = 0
    for path in found:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime >= LEFT_AFTER_SECONDS:
                path.unlink()
                removed += 1
    return removed

"""Files that only their owner may read, and errors of the file system in our words."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from jules_job_manager.adapters.private_paths import make_private_file
from jules_job_manager.errors import StoreError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def make_private(path: Path) -> None:
    """Make the file and its folder when missing, and take the file from group and others.

    Raises:
        StoreError: the system refuses.
    """
    try:
        make_private_file(path)
    except OSError as exc:
        raise refused(path, exc, "made") from exc


async def use_wal(path: Path) -> None:
    """Put a SQLite file into WAL mode, which it then keeps.

    One program at a time: SQLite does not wait for others when the mode changes, it fails.
    A file that is no database stays as it is; whoever opens it will say so.
    Source: sqlite.org/fileformat2.html (bytes 18 and 19) and sqlite.org/wal.html, read 2026-11.

    Raises:
        StoreError: the lock cannot be made.
    """
    if await asyncio.to_thread(_is_wal, path):
        return
    async with alone(path):
        if not await asyncio.to_thread(_is_wal, path):
            await asyncio.to_thread(_change_to_wal, path)


def _is_wal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(20)[18:20] == b"\x02\x02"
    except OSError:
        return False


def _change_to_wal(path: Path) -> None:
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(path, timeout=30)) as connection,
    ):
        connection.execute("PRAGMA journal_mode=WAL")


@contextlib.asynccontextmanager
async def alone(path: Path, suffix: str = ".lock") -> AsyncIterator[None]:
    """Hold the lock beside the file, so that one program at a time does what is done with it.

    Raises:
        StoreError: the lock cannot be made.
    """
    from filelock import AsyncFileLock

    lock = AsyncFileLock(f"{path}{suffix}", mode=0o600)
    try:
        await lock.acquire()
    except OSError as exc:
        raise refused(path, exc) from exc
    try:
        yield
    finally:
        await lock.release()


def refused(path: Path, exc: OSError, done: str = "written") -> StoreError:
    """Return the error to raise when the system refuses; `done` is what cannot be done."""
    if exc.errno in _NO_ROOM:
        return StoreError(
            f"There is no room to write the store {path}: {exc.strerror}.",
            hint="Free some space, or raise the limit, and try again; what was kept is unharmed.",
        )
    return StoreError(
        f"The store {path} cannot be {done}: {exc.strerror}.",
        hint="Make its folder writable, or set JJM_HOME to another one.",
    )

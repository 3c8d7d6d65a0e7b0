"""The file of a backlog document: read whole, replaced whole, never over someone else's edit."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from pathlib import Path

from jules_job_manager.errors import BacklogError


def read_file(path: str) -> bytes:
    """Return the file's bytes.

    Raises:
        BacklogError: it is gone or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise BacklogError(
            f"The backlog document {path} cannot be read: {exc.strerror}.",
            hint=f"Put it back, or import it from where it is now with --moved-from {path}",
            context={"backlog": path},
        ) from exc


def stamp_of(path: str) -> tuple[int, int, int] | None:
    """Return what changes whenever the file is saved; None when there is no such file here."""
    try:
        known = Path(path).stat()
    except OSError:
        return None
    return known.st_ino, known.st_size, known.st_mtime_ns


def is_being_saved(path: str) -> bool:
    """Return whether the file was written within the last second: half of it may still be to come."""
    stamp = stamp_of(path)
    return stamp is not None and abs(time.time_ns() - stamp[2]) < 1_000_000_000


def replace_file(path: str, before: bytes, after: bytes) -> bool:
    """Replace the file's bytes at once; False (and nothing done) when it is not `before` any more.

    Its mode and, where we may, its owner stay; a link stays a link. The bytes are compared right
    before the replacement, so an edit is lost only if it is saved within those microseconds. A
    file that is marked read-only is left alone, although its folder would let it be replaced.

    Raises:
        BacklogError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        was = target.stat()
        if not was.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is marked read-only")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(after)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(PermissionError):
            os.chown(temporary, was.st_uid, was.st_gid)
        temporary.chmod(stat.S_IMODE(was.st_mode))
        if target.read_bytes() != before:
            return False
        temporary.replace(target)
        temporary = None
    except OSError as exc:
        raise BacklogError(
            f"Progress cannot be written into {path}: {exc.strerror}.",
            hint="Make the file and its folder writable; the queue itself has lost nothing.",
            context={"backlog": path},
        ) from exc
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return True

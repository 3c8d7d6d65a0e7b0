"""Scratch folders that do not outlive a killed program for long: the next one of its kind removes them.

A file in each is locked as long as its program lives; the system frees the lock of a dead one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

_LOCK = "in-use"
_BEGUN_SECONDS = 60.0


class ScratchFolder:
    """A private folder under the system's temporary one. Every method blocks for a moment."""

    def __init__(self, prefix: str) -> None:
        """Make it; folders with this prefix whose program has died are removed first.

        Raises:
            OSError: it cannot be made.
        """
        _sweep(prefix)
        new = Path(tempfile.mkdtemp(prefix=f"new-{prefix}"))
        self._lock = _lock_of(new)
        self._lock.acquire()
        self.path = new
        # Found by others only now, when it is locked. Windows moves no folder with open files.
        with contextlib.suppress(PermissionError):
            self.path = new.rename(new.with_name(new.name.removeprefix("new-")))

    def remove(self) -> None:
        """Remove it with all that is in it, as far as possible."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def _lock_of(folder: Path) -> BaseFileLock:
    return FileLock(
        folder / _LOCK, mode=0o600, blocking=False, is_singleton=False, thread_local=False
    )


def _sweep(prefix: str) -> None:
    place = Path(tempfile.gettempdir())
    for folder in (*place.glob(f"{prefix}*"), *place.glob(f"new-{prefix}*")):
        with contextlib.suppress(OSError, Timeout):
            # The lock of a new one is there a moment before it is locked.
            is_new = folder.name.startswith("new-")
            if not (_was_begun_long_ago if is_new else _is_ours)(folder):
                continue
            lock = _lock_of(folder)
            lock.acquire()
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()


def _was_begun_long_ago(folder: Path) -> bool:
    """Whether its program died before it had locked it: that takes a moment, not a minute."""
    if folder.is_symlink():
        return False
    state = folder.lstat()
    owned = not hasattr(os, "getuid") or state.st_uid == os.getuid()
    return owned and time.time() - state.st_mtime > _BEGUN_SECONDS


def _is_ours(folder: Path) -> bool:
    """Whether it is a real folder of this user that was made here."""
    owned = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
    return owned and folder.is_dir() and not folder.is_symlink() and (folder / _LOCK).is_file()

"""Files and folders that only their owner may read."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path


def make_private_file(path: Path) -> None:
    """Make the file and its folder when missing, and take the file from group and others.

    SQLite gives the files that it makes beside a database the same rights.

    Raises:
        OSError: the system refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=True)
    narrow(path)


def make_private_folder(path: Path) -> None:
    """Make the folder when missing, and take it from group and others.

    Raises:
        OSError: the system refuses.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    narrow(path)


def narrow(path: Path) -> None:
    """Take the rights of group and others; what is not there or someone else's stays as it is."""
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            path.chmod(mode & 0o700)

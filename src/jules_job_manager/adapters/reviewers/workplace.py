"""The folder that a reviewer works in: the request, and both sides of the change, from git's objects.

It is made anew for each question, after everything of the delivery that ran has ended.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from jules_job_manager.domain.change import Change, FileKind, Tree
from jules_job_manager.errors import OperationFailedError

REQUEST = "request.json"
ANSWER = "answer.json"
BASE = "base"
"""Files of the base: what a person let in, so the reviewer's own scripts can stand there."""
MERGED = "merged"
"""Files of the merge: nobody has read them."""
MOST_FILES = 50_000
MOST_BYTES = 512 * 1024 * 1024
_LONGEST_FILE_BYTES = 10_000_000


def furnish(folder: Path, *, request: str, change: Change) -> None:
    """Write the request and the files of both sides into an empty folder.

    Links, submodules, files above 10 MB and names that no checkout would have are left out.

    Raises:
        OperationFailedError: there are too many files, or they are too large together.
        OSError: the disk is full, or something like it.
    """
    (folder / REQUEST).write_text(request, encoding="ascii")
    for name, tree in ((BASE, change.base), (MERGED, change.head)):
        _write(folder / name, tree)


def read_answer(folder: Path, *, most_bytes: int) -> bytes | None:
    """Return at most `most_bytes` and one of the answer; None: it is no plain file any more."""
    # The reviewer owns the folder: a link or a pipe may stand where the file was.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(folder / ANSWER, flags)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most_bytes + 1)


def _write(root: Path, tree: Tree) -> None:
    root.mkdir()
    paths = tree.paths()
    if len(paths) > MOST_FILES or sum(map(tree.size, paths)) > MOST_BYTES:
        raise OperationFailedError("the repository is too large to be laid out for it")
    for path in paths:
        content = tree.read(path, limit=_LONGEST_FILE_BYTES) if _is_plain(path) else None
        if content is None:
            continue
        target = root / path
        # A name that is too long, or one that this system takes for another.
        with contextlib.suppress(
            FileExistsError, NotADirectoryError, FileNotFoundError, ValueError
        ):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)
            if tree.kind(path) is FileKind.EXECUTABLE:
                target.chmod(0o755)


def _is_plain(path: str) -> bool:
    """Whether every part is a name of its own below the folder; git's objects may hold others."""
    parts = path.split("/")
    return not any(
        part.casefold() in {"", ".", "..", ".git"} or "\\" in part or "\0" in part for part in parts
    )

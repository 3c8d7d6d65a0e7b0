"""A `Change` made of two trees in memory."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jules_job_manager.domain.change import Change, ChangedFile, FileKind, FileStatus
from jules_job_manager.domain.job import Job


@dataclass(frozen=True)
class Link:
    target: str


@dataclass(frozen=True)
class Submodule:
    commit: str = "0" * 40


Content = str | bytes | Link | Submodule


class MemoryTree:
    """Files by path."""

    def __init__(self, files: Mapping[str, Content]) -> None:
        self.files = {
            k: v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v
            for k, v in files.items()
        }

    def paths(self) -> Sequence[str]:
        return sorted(self.files)

    def kind(self, path: str) -> FileKind | None:
        entry = self.files.get(path)
        if entry is None:
            return None
        if isinstance(entry, Link):
            return FileKind.SYMLINK
        return FileKind.SUBMODULE if isinstance(entry, Submodule) else FileKind.FILE

    def size(self, path: str) -> int:
        entry = self.files.get(path)
        return len(entry) if isinstance(entry, bytes) else 0

    def read(self, path: str, *, limit: int = 2_000_000) -> bytes | None:
        entry = self.files.get(path)
        return entry if isinstance(entry, bytes) and len(entry) <= limit else None

    def link_target(self, path: str) -> str | None:
        entry = self.files.get(path)
        return entry.target if isinstance(entry, Link) else None


def _lines(entry: object) -> list[str]:
    if not isinstance(entry, bytes):
        return []
    lines = entry.decode("utf-8", "surrogateescape").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _changed(
    path: str, status: FileStatus, old: object, new: object, old_path: str = ""
) -> ChangedFile:
    before, after = _lines(old), _lines(new)
    added: set[int] = set()
    removed: set[int] = set()
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            removed.update(range(i1 + 1, i2 + 1))
            added.update(range(j1 + 1, j2 + 1))
    binary = any(isinstance(e, bytes) and b"\0" in e for e in (old, new))
    return ChangedFile(
        path=path, status=status, old_path=old_path, added_lines=frozenset(added),
        removed_lines=frozenset(removed), is_binary=binary,
    )  # fmt: skip


def make_change(
    base: Mapping[str, Content],
    head: Mapping[str, Content],
    job: Job,
    renames: Mapping[str, str] | None = None,
) -> Change:
    """Return the change between two trees. `renames` is old to new, as git would find them."""
    one, other = MemoryTree(base), MemoryTree(head)
    moved = dict(renames or {})
    files = []
    for old, new in moved.items():
        files.append(_changed(new, FileStatus.RENAMED, one.files[old], other.files[new], old))
    for path in sorted({*one.files, *other.files}):
        if path in moved or path in moved.values():
            continue
        old, new = one.files.get(path), other.files.get(path)
        if old == new:
            continue
        if old is None:
            files.append(_changed(path, FileStatus.ADDED, None, new))
        elif new is None:
            files.append(_changed(path, FileStatus.DELETED, old, None))
        else:
            status = FileStatus.MODIFIED if type(old) is type(new) else FileStatus.TYPE_CHANGED
            files.append(_changed(path, status, old, new))
    assert all(posixpath.normpath(f.path) for f in files)
    return Change(job=job, base=one, head=other, files=tuple(files))

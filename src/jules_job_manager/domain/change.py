"""A delivery as rules see it: the base, the merge result, and what differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from jules_job_manager.domain.job import Job


class FileStatus(StrEnum):
    """What became of a file, in git's words."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    TYPE_CHANGED = "type_changed"
    """It is now a link or a submodule, or was one."""


class FileKind(StrEnum):
    """What an entry of a tree is."""

    FILE = "file"
    EXECUTABLE = "executable"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


class Tree(Protocol):
    """The files of one commit, read from git's objects: no link is followed, no filter is run."""

    def paths(self) -> Sequence[str]:
        """Return every path, sorted."""
        ...

    def kind(self, path: str) -> FileKind | None:
        """Return what the entry is, or None when there is none."""
        ...

    def size(self, path: str) -> int:
        """Return the bytes of a file; 0 when there is none."""
        ...

    def read(self, path: str, *, limit: int = 2_000_000) -> bytes | None:
        """Return the content; None when there is no such file, it is no file, or it is longer."""
        ...

    def link_target(self, path: str) -> str | None:
        """Return where a symbolic link points, as written; None when the entry is no link."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedFile:
    """One file that differs between base and merge result."""

    path: str
    """In the merge result; of a deleted file, in the base."""
    status: FileStatus
    old_path: str = ""
    """In the base, where that is another name."""
    added_lines: frozenset[int] = frozenset()
    """Lines of the merge result, from 1, that are new or changed."""
    removed_lines: frozenset[int] = frozenset()
    """Lines of the base, from 1, that are gone or changed."""
    is_binary: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """All that a rule may look at. A rule reads; it never runs anything of the delivery."""

    job: Job
    base: Tree
    head: Tree
    """The merge result."""
    files: tuple[ChangedFile, ...]

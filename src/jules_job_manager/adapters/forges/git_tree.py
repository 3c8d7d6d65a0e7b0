"""A commit's files and the difference of two commits, read from git's objects.

Nothing is checked out, and no filter, text conversion or external diff of the repository runs.
Source: git documentation, "git-ls-tree", "git-cat-file --batch", "git-diff --patch-with-raw", read
2026-11.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jules_job_manager.adapters.forges.git_command import git_raw, safe_environment, safe_words
from jules_job_manager.domain.change import Change, ChangedFile, FileKind, FileStatus
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.report import FileDiff
from jules_job_manager.errors import ForgeError

_KINDS = {"100644": FileKind.FILE, "100664": FileKind.FILE, "100755": FileKind.EXECUTABLE,
          "120000": FileKind.SYMLINK, "160000": FileKind.SUBMODULE}  # fmt: skip
_FILES = frozenset({FileKind.FILE, FileKind.EXECUTABLE})
_LONGEST_TARGET = 4096
_STATUSES = {"A": FileStatus.ADDED, "M": FileStatus.MODIFIED, "D": FileStatus.DELETED,
             "R": FileStatus.RENAMED, "C": FileStatus.ADDED, "T": FileStatus.TYPE_CHANGED}  # fmt: skip
_DIFF = ("diff", "--patch-with-raw", "-z", "--find-renames", "--no-color", "--no-ext-diff",
         "--no-textconv", "--no-indent-heuristic", "--submodule=short", "--ignore-submodules=none")  # fmt: skip
_LONGEST_DIFF = 500_000
"""Most bytes of one file's diff that are shown."""
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: FileKind
    object_id: str
    size: int


class GitObjects:
    """Reads objects of one mirror through a process that lives as long as this object."""

    def __init__(self, mirror: Path) -> None:
        """Read objects of `mirror`; git is started at the first one."""
        self._mirror = mirror
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def blob(self, object_id: str) -> bytes | None:
        """Return the content, or None when there is no such object."""
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(object_id.encode() + b"\n")
                process.stdin.flush()
                head = process.stdout.readline().split()
                if len(head) != 3:
                    return None
                content = process.stdout.read(int(head[2]))
                process.stdout.read(1)
            except OSError as exc:
                raise ForgeError(f"git cat-file ended: {exc}") from exc
            return content

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                safe_words("cat-file", "--batch"), cwd=self._mirror, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
                env=safe_environment("cat-file"),
            )  # fmt: skip
            weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.kill()
    process.wait()


class GitTree:
    """The files of one commit."""

    def __init__(self, objects: GitObjects, entries: dict[str, _Entry]) -> None:
        """Hold what `tree_of` listed."""
        self._objects = objects
        self._entries = entries

    def paths(self) -> Sequence[str]:
        """See `Tree.paths`."""
        return list(self._entries)

    def kind(self, path: str) -> FileKind | None:
        """See `Tree.kind`."""
        entry = self._entries.get(path)
        return None if entry is None else entry.kind

    def size(self, path: str) -> int:
        """See `Tree.size`."""
        entry = self._entries.get(path)
        return 0 if entry is None else entry.size

    def read(self, path: str, *, limit: int = 2_000_000) -> bytes | None:
        """See `Tree.read`."""
        entry = self._entries.get(path)
        if entry is None or entry.kind not in _FILES or entry.size > limit:
            return None
        return self._objects.blob(entry.object_id)

    def link_target(self, path: str) -> str | None:
        """See `Tree.link_target`."""
        entry = self._entries.get(path)
        if entry is None or entry.kind is not FileKind.SYMLINK or entry.size > _LONGEST_TARGET:
            return None
        target = self._objects.blob(entry.object_id)
        return None if target is None else _name(target)


async def tree_of(mirror: Path, objects: GitObjects, commit: str) -> GitTree:
    """Return the files of a commit.

    Raises:
        ForgeError: there is no such commit.
    """
    listed = await _listing(mirror, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--")
    entries = {}
    for line in listed.split(b"\0"):
        if not line:
            continue
        head, _, path = line.partition(b"\t")
        mode, _, object_id, size = head.decode("ascii").split()
        kind = _KINDS.get(mode, FileKind.FILE)
        entries[_name(path)] = _Entry(kind, object_id, 0 if size == "-" else int(size))
    return GitTree(objects, dict(sorted(entries.items())))


async def change_of(mirror: Path, *, job: Job, base: str, head: str) -> Change:
    """Return what differs between two commits of a mirror.

    Raises:
        ForgeError: there is no such commit.
    """
    objects = GitObjects(mirror)
    found = await _listing(mirror, *_DIFF, "--unified=0", "--end-of-options", base, head, "--")
    return Change(
        job=job,
        base=await tree_of(mirror, objects, base),
        head=await tree_of(mirror, objects, head),
        files=tuple(_files(found)),
    )


async def diffs_of(mirror: Path, base: str, head: str) -> tuple[FileDiff, ...]:
    """Return the unified diff of each file that differs between two commits of a mirror.

    Raises:
        ForgeError: there is no such commit.
    """
    found = await _listing(mirror, *_DIFF, "--unified=3", "--end-of-options", base, head, "--")
    return tuple(
        FileDiff(path=file.path, diff=None if _is_binary(lines) else _text_of(lines))
        for file, lines in _patches(found)
    )


async def file_of(mirror: Path, commit: str, path: str) -> bytes | None:
    """Return a regular file of a commit, or None when there is none."""
    listed = await git_raw(mirror, "ls-tree", "-z", "--full-tree", commit, "--", path)
    head, _, name = listed.stdout.partition(b"\t")
    words = head.split()
    if listed.code != 0 or len(words) != 3 or name != path.encode() + b"\0":
        return None
    if words[0] not in {b"100644", b"100755"}:
        return None
    found = await git_raw(mirror, "cat-file", "blob", words[2].decode("ascii"))
    return found.stdout if found.code == 0 else None


async def _listing(mirror: Path, *words: str) -> bytes:
    result = await git_raw(mirror, *words)
    if result.code != 0:
        last = result.stderr.strip().splitlines()
        raise ForgeError(f"git {words[0]} failed: {last[-1] if last else result.code}")
    return result.stdout


def _files(found: bytes) -> Iterator[ChangedFile]:
    for file, lines in _patches(found):
        added: set[int] = set()
        removed: set[int] = set()
        for line in lines:
            hunk = _HUNK.match(line)
            if hunk:
                removed.update(_span(hunk[1], hunk[2]))
                added.update(_span(hunk[3], hunk[4]))
        yield replace(
            file, added_lines=frozenset(added), removed_lines=frozenset(removed),
            is_binary=_is_binary(lines),
        )  # fmt: skip


def _is_binary(lines: Sequence[bytes]) -> bool:
    return any(line.startswith((b"Binary files ", b"GIT binary patch")) for line in lines)


def _text_of(lines: Sequence[bytes]) -> str:
    return b"\n".join(lines)[:_LONGEST_DIFF].decode("utf-8", "replace")


def _patches(found: bytes) -> Iterator[tuple[ChangedFile, list[bytes]]]:
    """Yield each changed file with the lines of its patch."""
    raw, _, patches = found.partition(b"\0\0")
    sections = _sections(patches)
    for file, count in _raw_entries(raw):
        yield file, [line for _ in range(count) for line in next(sections, [])]


def _raw_entries(raw: bytes) -> Iterator[tuple[ChangedFile, int]]:
    """Yield each changed file with the number of its patches: a changed type is a removal and an addition."""
    fields = iter(raw.split(b"\0"))
    for head in fields:
        if not head.startswith(b":"):
            continue
        letter = head.split()[4][:1].decode("ascii")
        first = _name(next(fields))
        path = _name(next(fields)) if letter in "RC" else first
        status = _STATUSES.get(letter, FileStatus.MODIFIED)
        old = first if status is FileStatus.RENAMED else ""
        yield ChangedFile(path=path, status=status, old_path=old), 2 if letter == "T" else 1


def _sections(patches: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of each file's patch; content lines begin with a sign, so none looks like a head."""
    lines: list[bytes] = []
    for line in patches.split(b"\n"):
        if line.startswith(b"diff --git ") and lines:
            yield lines
            lines = []
        if line.startswith(b"diff --git ") or lines:
            lines.append(line)
    if lines:
        yield lines


def _span(start: bytes, count: bytes | None) -> range:
    length = 1 if count is None else int(count)
    return range(int(start), int(start) + length)


def _name(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")

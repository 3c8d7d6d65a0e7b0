"""A delivery made of texts in memory, as rules see one made of git objects."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jules_job_manager.domain.change import Change, ChangedFile, FileKind, FileStatus
from jules_job_manager.domain.job import Job, JobFile


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


Content = str | bytes | Link


class TextTree:
    """Files by path."""

    def __init__(self, files: Mapping[str, Content]) -> None:
        self._files = dict(sorted(files.items()))

    def paths(self) -> Sequence[str]:
        return list(self._files)

    def kind(self, path: str) -> FileKind | None:
        found = self._files.get(path)
        if found is None:
            return None
        return FileKind.SYMLINK if isinstance(found, Link) else FileKind.FILE

    def size(self, path: str) -> int:
        content = self.read(path, limit=1 << 60)
        return 0 if content is None else len(content)

    def read(self, path: str, *, limit: int = 2_000_000) -> bytes | None:
        found = self._files.get(path)
        if found is None or isinstance(found, Link):
            return None
        content = found.encode("utf-8", "surrogatepass") if isinstance(found, str) else found
        return None if len(content) > limit else content

    def link_target(self, path: str) -> str | None:
        found = self._files.get(path)
        return found.target if isinstance(found, Link) else None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One delivery: what it writes over the base, and which required rule must refuse it."""

    name: str
    files: Mapping[str, Content | None] = field(default_factory=dict)
    """New content by path; None deletes the file."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """New path by old path; `files` may change the content as well."""
    caught_by: str = ""
    """Empty: it is honest."""
    creates: Sequence[str] = ()
    """Files the job said it would create."""
    modifies: Sequence[str] = ()
    prompt: str = "Do the work."


def change_of(sample: Sample, base: Mapping[str, Content]) -> Change:
    """Return the delivery of a sample."""
    head: dict[str, Content] = dict(base)
    changed: list[ChangedFile] = []
    for old, new in sample.moved.items():
        head[new] = sample.files.get(new) or base[old]
        del head[old]
        changed.append(_file(new, FileStatus.RENAMED, base[old], head[new], old))
    for path, content in sample.files.items():
        if path in sample.moved.values():
            continue
        before = base.get(path)
        if content is None:
            head.pop(path, None)
            changed.append(_file(path, FileStatus.DELETED, before, None))
        else:
            head[path] = content
            status = FileStatus.ADDED if before is None else FileStatus.MODIFIED
            changed.append(_file(path, status, before, content))
    files = [JobFile(path=path, action="create") for path in sample.creates]
    files += [JobFile(path=path, action="modify") for path in sample.modifies]
    job = Job(key="Task 1", title="Work", prompt=sample.prompt, files=tuple(files))
    return Change(job=job, base=TextTree(base), head=TextTree(head), files=tuple(changed))


def _file(
    path: str, status: FileStatus, before: Content | None, after: Content | None, old: str = ""
) -> ChangedFile:
    one, other = _lines(before), _lines(after)
    added: set[int] = set()
    removed: set[int] = set()
    matcher = difflib.SequenceMatcher(a=one, b=other, autojunk=False)
    for what, start, end, new_start, new_end in matcher.get_opcodes():
        if what != "equal":
            removed.update(range(start + 1, end + 1))
            added.update(range(new_start + 1, new_end + 1))
    return ChangedFile(
        path=path, status=status, old_path=old, added_lines=frozenset(added),
        removed_lines=frozenset(removed), is_binary=isinstance(after or before, bytes),
    )  # fmt: skip


def _lines(content: Content | None) -> list[str]:
    return content.splitlines(keepends=True) if isinstance(content, str) else []

"""Rules about entries of the tree: links, submodules, names, sizes."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, ChangedFile, FileKind, FileStatus
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.hidden_characters import invisible_in
from jules_job_manager.domain.rules.leave import declares, may_touch
from jules_job_manager.domain.rules.rule import Check, RuleOptions
from jules_job_manager.domain.rules.sources import base_path

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_GIT_NAME = re.compile(r"\.git[ .]*|git~\d", re.IGNORECASE)


def safe_links(options: RuleOptions) -> Check:
    """Return the check of links that lead outside, and of submodules."""

    def check(change: Change) -> Iterator[Finding]:
        for file in change.files:
            if file.status is not FileStatus.DELETED:
                yield from _link(change, file)
            yield from _submodule(change, file, options.allowed_paths)

    return check


def _link(change: Change, file: ChangedFile) -> Iterator[Finding]:
    target = change.head.link_target(file.path)
    if target is None:
        return
    place = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), target))
    level = Level.ERROR
    if posixpath.isabs(target) or re.match(r"[A-Za-z]:|\\|~", target):
        message = "The link points to an absolute path."
    elif place == ".." or place.startswith("../"):
        message = "The link points outside the repository."
    elif any(_GIT_NAME.fullmatch(part) for part in place.split("/")):
        message = "The link points into git's own folder."
    elif change.head.kind(place) is None and not any(
        path.startswith(f"{place}/") for path in change.head.paths()
    ):
        message, level = "The link points to nothing.", Level.WARNING
    else:
        return
    yield Finding(rule="safe-links", message=message, path=file.path, level=level)


def _submodule(change: Change, file: ChangedFile, allowed: tuple[str, ...]) -> Iterator[Finding]:
    kinds = {change.head.kind(file.path), change.base.kind(base_path(file))}
    if FileKind.SUBMODULE in kinds and not may_touch(change.job, file.path, allowed):
        message = "A submodule was added, changed or removed without leave."
        yield Finding(rule="safe-links", message=message, path=file.path)


def safe_names(change: Change) -> Iterator[Finding]:
    """Yield new names that deceive people, git or other systems."""
    new = [f.path for f in change.files if f.status in {FileStatus.ADDED, FileStatus.RENAMED}]
    for path in new:
        yield from _name(path)
    if new:
        yield from _twins(change, frozenset(new))


def _name(path: str) -> Iterator[Finding]:
    level = Level.ERROR
    parts = path.split("/")
    if invisible_in(path) or any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in path):
        message = "The name holds a control, direction or invisible character."
    elif any(_GIT_NAME.fullmatch(part) for part in parts):
        message = "The name is taken for git's own folder on some systems."
    elif "\\" in path or any(part in {"", ".", ".."} for part in parts):
        message = "The name is a path of its own on some systems."
    elif any(0xDC80 <= ord(c) <= 0xDCFF for c in path):
        message, level = "The name is not UTF-8.", Level.WARNING
    elif any(_RESERVED.match(part) or part[-1] in " ." or ":" in part for part in parts):
        message, level = "The name cannot exist on Windows.", Level.WARNING
    elif any(part.startswith("-") for part in parts):
        message, level = "The name looks like an option to programs.", Level.WARNING
    else:
        return
    yield Finding(rule="safe-names", message=message, path=path, level=level)


def _twins(change: Change, new: frozenset[str]) -> Iterator[Finding]:
    alike: defaultdict[str, set[str]] = defaultdict(set)
    for path in change.head.paths():
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            alike[unicodedata.normalize("NFC", name).casefold()].add(name)
    for path in sorted(new):
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            others = alike[unicodedata.normalize("NFC", name).casefold()] - {name}
            if others:
                message = f"The name differs from {min(others)!r} only in case or in how accents are written."
                yield Finding(rule="safe-names", message=message, path=path)
                break


def file_size(options: RuleOptions) -> Check:
    """Return the check of new and changed files that are too big."""

    def check(change: Change) -> Iterator[Finding]:
        for file in change.files:
            size = change.head.size(file.path) if file.status is not FileStatus.DELETED else 0
            limit = options.largest_file_bytes
            if size > limit and not declares(change.job, file.path):
                message = f"The file is {size:,} bytes long; more than {limit:,} needs leave."
                yield Finding(rule="file-size", message=message, path=file.path)

    return check

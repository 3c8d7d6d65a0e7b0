"""Whether a branch holds the work of a commit that is not in its history.

Changes are told apart by their diffs with every byte of content, not by `git patch-id` or
`git cherry`: these take no notice of white space, which in Python is the program, nor (in a
plain diff) of what binary files hold, and a wrong yes here deletes somebody's work.
Source: git documentation, "git-patch-id", "git-merge-tree --write-tree", read 2026-11.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from jules_job_manager.adapters.forges.git_command import git, git_raw
from jules_job_manager.ports.forge import Holding

_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--full-index", "--binary")


async def how_held(mirror: Path, head: str, commit: str) -> Holding | None:
    """Return how the branch that ends in `head` holds the work that ends in `commit`, or None.

    Args:
        mirror: A bare repository that has both.
        head: The branch's commit; `commit` is no ancestor of it.
        commit: The last commit of the work.

    Raises:
        ForgeError: git could not be run.
    """
    found = await git(mirror, "merge-base", head, commit)
    start = found.stdout.strip()
    if found.code != 0 or not start:
        return None
    if await _changes_nothing(mirror, head, commit):
        return Holding.CONTENT
    work = await git_raw(mirror, "diff", *_DIFF, start, commit, "--")
    whole = _fingerprint(work.stdout)
    if work.code != 0 or whole is None:
        return None
    theirs = await _changes(mirror, f"{start}..{head}", await _paths(mirror, start, commit))
    if whole in theirs.values():
        return Holding.SAME_CHANGE
    merges = await git(mirror, "rev-list", "--merges", "--max-count=1", f"{start}..{commit}")
    if merges.code != 0 or merges.stdout.strip():
        return None  # what a merge settled by hand has no twin
    mine = await _changes(mirror, f"{start}..{commit}", ())
    twins = set(theirs.values())
    return Holding.SAME_COMMITS if mine and set(mine.values()) <= twins else None


async def _changes_nothing(mirror: Path, head: str, commit: str) -> bool:
    merged = await git(mirror, "merge-tree", "--write-tree", "--no-messages", head, commit)
    tree = await git(mirror, "rev-parse", "--verify", f"{head}^{{tree}}")
    return merged.code == 0 == tree.code and merged.stdout.strip() == tree.stdout.strip()


async def _paths(mirror: Path, start: str, commit: str) -> tuple[str, ...]:
    """Return what the work touched, so that only commits that touch it are read."""
    listed = await git_raw(mirror, "log", "--format=", "--name-only", "--no-renames", "-m", "-z",
                           f"{start}..{commit}", "--")  # fmt: skip
    names = {name.strip(b"\n") for name in listed.stdout.split(b"\0")} - {b""}
    try:
        paths = tuple(f":(top,literal){name.decode()}" for name in sorted(names))
    except UnicodeDecodeError:
        return ()
    return paths if len(paths) <= 500 else ()


async def _changes(mirror: Path, commits: str, paths: tuple[str, ...]) -> dict[str, str]:
    """Return the fingerprint of what each of these commits changed against its first parent."""
    listed = await git_raw(
        mirror, "log", "--format=commit %H", "--patch", "--diff-merges=first-parent", "--full-diff",
        *(("--full-history",) if paths else ()), *_DIFF, commits, "--", *paths,
    )  # fmt: skip
    if listed.code != 0:
        return {}
    found = {}
    # No line of a diff begins with "commit ": each has a sign, a header's word or no space.
    for part in (b"\n" + listed.stdout).split(b"\ncommit ")[1:]:
        commit, _, diff = part.partition(b"\n")
        found[commit.decode("ascii")] = _fingerprint(diff) or ""
    return {commit: mark for commit, mark in found.items() if mark}


def _fingerprint(diff: bytes) -> str | None:
    """Return what tells a change from others wherever it stands in its files; None: no change."""
    files = (b"\n" + diff).split(b"\ndiff --git ")[1:]
    if not files:
        return None
    digest = hashlib.sha256()
    for file in files:
        is_text = b"\n@@ -" in file
        for line in file.rstrip(b"\n").split(b"\n"):
            if is_text and line.startswith(b"index "):
                continue
            digest.update(b"@@\n" if line.startswith(b"@@ -") else line + b"\n")
    return digest.hexdigest()

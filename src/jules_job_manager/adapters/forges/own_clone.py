"""Rebuilds work in a person's own clone without touching anything but one new branch.

All is made in a scratch repository that borrows the clone's objects: patches are hostile, and
there no filter, hook, merge driver or setting of the clone's is in force. Only when the commit is
made its new objects are copied over and the branch is created, in one step that fails if it is
there already.
Source: git documentation, "gitrepository-layout" (alternates), "git-apply --3way", read 2026-11.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jules_job_manager.adapters.forges.git_command import git, git_ok, git_raw
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.references import require_branch
from jules_job_manager.errors import ForgeError, InvalidInputError
from jules_job_manager.ports.clone import Rebuilt

_OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class OwnClone:
    """The clone that a folder lies in (also a linked worktree, or a bare repository)."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is looked at when something is asked."""
        self._folder = folder

    async def is_of(self, repository: str, address: str = "") -> bool:
        """Return whether a remote of the clone is `owner/name`, or at `address`."""
        await self._objects()
        listed = await git(self._folder, "config", "--get-regexp", r"^remote\..*\.url$")
        wanted = {repository.casefold(), address.removesuffix("/").removesuffix(".git").casefold()}
        for line in listed.stdout.splitlines():
            url = line.partition(" ")[2].removesuffix("/").removesuffix(".git").casefold()
            if url in wanted - {""} or re.search(rf"[/:]{re.escape(repository.casefold())}$", url):
                return True
        return False

    async def rebuild(
        self, change_set: ChangeSet, *, base_branch: str, branch: str, message: str, dry_run: bool
    ) -> Rebuilt:
        """Make the work a commit, and a new local branch that ends in it.

        Raises:
            InvalidInputError: git refuses the branch name, or there is such a branch.
            ForgeError: no clone, no base commit and no base branch, or git failed.
        """
        objects = await self._objects()
        await self._require_free(branch)
        async with _scratch(objects) as scratch:
            base = change_set.base_commit_id
            own = bool(_OBJECT_ID.fullmatch(base)) and await _has(scratch, base)
            onto = base if own else await self._tip_of(base_branch, base)
            parent = onto if own else await git_ok(self._folder, "rev-parse", f"{onto}^{{commit}}")
            made = await _commit(scratch, change_set, parent, onto=onto, own=own, message=message)
            if made.commit and not dry_run:
                await self._take(scratch, made.commit, branch)
        return made

    async def _objects(self) -> Path:
        if not self._folder.is_dir():
            raise ForgeError(f"{self._folder} is no folder.", hint="Name the clone by --repo-path.")
        found = await git(
            self._folder, "rev-parse", "--path-format=absolute", "--git-path", "objects"
        )
        if found.code != 0:
            last = (found.stderr.strip().splitlines() or [""])[0]
            raise ForgeError(
                f"{self._folder} is no clone that git can use: {last}",
                hint="Go into the clone of the repository, or name it by --repo-path.",
            )
        return Path(found.stdout.removesuffix("\n"))

    async def _require_free(self, branch: str) -> None:
        require_branch(branch)
        checked = await git(self._folder, "check-ref-format", f"refs/heads/{branch}")
        if checked.code != 0 or branch == "HEAD":
            raise InvalidInputError(f"{branch!r} is not a branch name.")
        there = await git(
            self._folder, "show-ref", "--verify", "--quiet", "--", f"refs/heads/{branch}"
        )
        if there.code == 0:
            raise InvalidInputError(
                f"There is a branch {branch} already, and it is not overwritten.",
                hint="Name another one with --branch.",
            )

    async def _tip_of(self, base_branch: str, base: str) -> str:
        """Return the full name of the clone's base branch, as its remote has it if that is known."""
        listed = await git_ok(
            self._folder,
            "for-each-ref",
            "--format=%(refname)",
            "--",
            "refs/remotes/",
            "refs/heads/",
        )
        refs = listed.splitlines()
        local = f"refs/heads/{base_branch}"
        remote = [
            r for r in refs if re.fullmatch(rf"refs/remotes/[^/]+/{re.escape(base_branch)}", r)
        ]
        wanted = [f"refs/remotes/origin/{base_branch}", *remote, local]
        found = next((ref for ref in wanted if ref in refs), None)
        if found is None:
            said = f"the commit {base[:12]} that the work is made on" if base else "its base commit"
            raise ForgeError(
                f"The clone {self._folder} has neither {said} nor a branch {base_branch}.",
                hint="Run git fetch there, or name the right clone by --repo-path.",
            )
        return found

    async def _take(self, scratch: Path, commit: str, branch: str) -> None:
        names = await asyncio.to_thread(_loose, scratch)
        pack = await git_raw(
            scratch, "pack-objects", "--quiet", "--stdout", stdin="\n".join(names).encode() + b"\n"
        )
        if pack.code != 0:
            raise ForgeError(f"git pack-objects failed: {pack.stderr.strip()[-500:]}")
        await git_ok(self._folder, "unpack-objects", "-q", stdin=pack.stdout)
        # The empty old value lets git refuse a branch that appeared meanwhile.
        await git_ok(
            self._folder, "update-ref", "-m", "jjm recover",
            f"refs/heads/{branch}", commit, "0" * len(commit),
        )  # fmt: skip


@asynccontextmanager
async def _scratch(objects: Path) -> AsyncIterator[Path]:
    """Yield an empty bare repository that can read the clone's objects."""
    with tempfile.TemporaryDirectory(prefix="jjm-recover-") as name:
        folder = Path(name)
        await git_ok(folder, "init", "--bare", "--quiet", "--template=", ".")
        line = str(objects).replace("\\", "\\\\").replace('"', '\\"')
        quoted = f'"{line}"' if line.startswith('"') or "\n" in line else str(objects)
        info = folder / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_text(f"{quoted}\n", encoding="utf-8", errors="surrogateescape")
        yield folder


async def _has(scratch: Path, commit: str) -> bool:
    return (await git(scratch, "cat-file", "-e", f"{commit}^{{tree}}")).code == 0


async def _commit(
    scratch: Path, change_set: ChangeSet, parent: str, *, onto: str, own: bool, message: str
) -> Rebuilt:
    """Apply the patch to the tree of `parent`, in the index alone, and commit it."""
    await git_ok(scratch, "read-tree", parent)
    patch = change_set.unidiff_patch.encode("utf-8", "surrogateescape") + b"\n"
    three_way = () if own else ("--3way",)
    applied = await git(
        scratch, "apply", "--cached", *three_way, "--whitespace=nowarn", "-", stdin=patch
    )
    if applied.code != 0:
        listed = await git_ok(scratch, "diff", "--cached", "--name-only", "--diff-filter=U", "-z")
        conflicts = tuple(dict.fromkeys(name for name in listed.split("\0") if name))
        said = [line.removeprefix("error: ") for line in applied.stderr.splitlines()
                if line.startswith("error: ")]  # fmt: skip
        return Rebuilt(
            onto=onto, on_own_base=own, conflicts=conflicts, problem="; ".join(said)[:500]
        )
    tree = await git_ok(scratch, "write-tree")
    if tree == await git_ok(scratch, "rev-parse", f"{parent}^{{tree}}"):
        return Rebuilt(onto=onto, on_own_base=own, nothing_new=True)
    commit = await git_ok(
        scratch, "commit-tree", tree, "-p", parent, "-F", "-",
        stdin=message.encode("utf-8", "surrogateescape"),
    )  # fmt: skip
    return Rebuilt(onto=onto, on_own_base=own, commit=commit)


def _loose(scratch: Path) -> list[str]:
    """Return the names of the objects made in the scratch repository."""
    return sorted(
        file.parent.name + file.name
        for file in (scratch / "objects").glob("[0-9a-f][0-9a-f]/*")
        if _OBJECT_ID.fullmatch(file.parent.name + file.name)
    )

"""Any git remote as a forge: a bare mirror here, scratch worktrees to merge in, a guarded push."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import AsyncFileLock, Timeout

from jules_job_manager.adapters.forges.git_command import git, git_ok
from jules_job_manager.adapters.forges.git_tree import change_of, diffs_of, file_of
from jules_job_manager.adapters.forges.held_work import how_held
from jules_job_manager.adapters.forges.left_locks import alone_ok
from jules_job_manager.adapters.private_paths import make_private_folder
from jules_job_manager.adapters.scratch_folders import ScratchFolder
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.change import Change
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.masking import masked
from jules_job_manager.domain.report import FileDiff
from jules_job_manager.domain.review import Delivery
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.forge import Holding, MergeCandidate, Merged, MergeOutcome

_HEADS = "refs/remotes/origin/"
_KEPT = "refs/jjm/kept/"
_KEPT_SLACK = 20
"""Refs above the limit before the oldest are dropped: collecting garbage each time is slow."""
_LOCK_SECONDS = 1200.0
"""Longer than the longest git command may take."""
_OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class LocalGitForge:
    """Repositories on any git remote, worked on through bare mirrors under one folder."""

    def __init__(self, *, cache: Path, remotes: Mapping[str, str], kept_commits: int = 500) -> None:
        """Bind the folder of the mirrors and the addresses.

        Args:
            cache: Made when needed.
            remotes: `owner/name` to git URL or path.
            kept_commits: How many merges and patches a mirror keeps beyond its branches, >= 1.
        """
        self._cache = cache
        self._remotes = dict(remotes)
        self._kept_commits = kept_commits

    async def fetch(self, repository: str) -> None:
        """Bring the mirror up to date; branches gone from the remote go from it too.

        Raises:
            ForgeError: there is no such remote, or git could not reach it.
        """
        mirror = await self._mirror(repository)
        environment = await self._environment(repository)
        async with self._alone(mirror):
            await alone_ok(
                mirror, "fetch", "--prune", "--no-tags", "--quiet", "--end-of-options", "origin",
                environment=environment,
            )  # fmt: skip

    async def head_commit(self, repository: str, branch: str) -> str | None:
        """Return the commit of the remote's branch as last fetched, or None."""
        mirror = await self._mirror(repository)
        # show-ref takes exact names only, so that `main~1` or `main@{1}` finds nothing.
        result = await git(mirror, "show-ref", "--verify", "--hash", "--", f"{_HEADS}{branch}")
        commit = result.stdout.strip()
        return commit if result.code == 0 and _OBJECT_ID.fullmatch(commit) else None

    async def request_head(self, repository: str, number: int) -> str | None:
        """Fetch a pull request of GitHub or Gitea, or a merge request of GitLab, by its number.

        Sources, read 2026-11: docs.github.com, "Checking out pull requests locally" (`pull/ID/head`);
        docs.gitlab.com, "Check out merge requests locally" (`merge-requests/ID/head`).

        Raises:
            ForgeError: git could not reach the remote.
        """
        mirror = await self._mirror(repository)
        for place in (f"refs/pull/{number:d}/head", f"refs/merge-requests/{number:d}/head"):
            listed = await self._fetched(mirror, repository, place)
            if listed:
                return listed
        return None

    async def _fetched(self, mirror: Path, repository: str, place: str) -> str:
        """Fetch one ref of the remote and keep its commit; empty when there is no such ref."""
        environment = await self._environment(repository)
        found = await git_ok(mirror, "ls-remote", "origin", place, environment=environment)
        if not found:
            return ""
        ours = "refs/jjm/requests/" + place.removeprefix("refs/").removesuffix("/head")
        async with self._alone(mirror):
            await alone_ok(
                mirror, "fetch", "--no-tags", "--quiet", "--end-of-options", "origin",
                f"+{place}:{ours}", environment=environment,
            )  # fmt: skip
        return await git_ok(mirror, "rev-parse", "--verify", ours)

    async def tree(self, repository: str, commit: str) -> str:
        """Return the id of the files of a commit of the mirror.

        Raises:
            ForgeError: the mirror has no such commit.
        """
        _require_id(commit)
        mirror = await self._mirror(repository)
        return await git_ok(
            mirror, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}"
        )

    async def _require_head(self, repository: str, branch: str) -> str:
        commit = await self.head_commit(repository, branch)
        if commit is None:
            raise ForgeError(f"{repository} has no branch {branch}.")
        return commit

    async def list_branches(self, repository: str) -> list[str]:
        """Return the remote's branches as last fetched, in text order."""
        mirror = await self._mirror(repository)
        lines = await git_ok(mirror, "for-each-ref", "--format=%(refname)", "--", _HEADS)
        return [line.removeprefix(_HEADS) for line in lines.splitlines() if line != f"{_HEADS}HEAD"]

    async def contains(self, repository: str, branch: str, commit: str) -> bool | None:
        """Return whether the remote's branch, as last fetched, holds the commit.

        None: the mirror has no such commit.
        """
        head = await self.head_commit(repository, branch)
        mirror = await self._mirror(repository)
        if not _OBJECT_ID.fullmatch(commit):
            return None
        known = await git(mirror, "cat-file", "-e", f"{commit}^{{commit}}")
        if known.code != 0:
            return None
        if head is None:
            return False
        return (await git(mirror, "merge-base", "--is-ancestor", commit, head)).code == 0

    async def holds_work(self, repository: str, branch: str, commit: str) -> Holding | None:
        """Return how the remote's branch, as last fetched, holds the work that ends in the commit."""
        known = await self.contains(repository, branch, commit)
        if known is not False:
            return Holding.COMMIT if known else None
        head = await self.head_commit(repository, branch)
        return (
            None if head is None else await how_held(await self._mirror(repository), head, commit)
        )

    async def deliver_patch(self, repository: str, change_set: ChangeSet, message: str) -> Delivery:
        """Turn a patch into a commit on its base commit.

        Raises:
            ForgeError: its base commit is unknown or it does not apply.
        """
        base = change_set.base_commit_id
        if not _OBJECT_ID.fullmatch(base):
            raise ForgeError("The patch does not say which commit it is made on.")
        mirror = await self._mirror(repository)
        patch = change_set.unidiff_patch.encode("utf-8", "surrogateescape")
        async with self._worktree(mirror, base) as folder:
            # No --unsafe-paths: git refuses paths outside the worktree and through symlinks.
            await git_ok(
                folder, "apply", "--index", "--whitespace=nowarn", "-", stdin=patch + b"\n"
            )
            await git_ok(folder, "commit", "--quiet", "--no-verify", "-m", message)
            commit = await git_ok(folder, "rev-parse", "HEAD")
        await self._keep(mirror, commit)
        return Delivery(commit=commit)

    async def read_file(self, repository: str, commit: str, path: str) -> bytes | None:
        """Return a regular file of a commit of the mirror; None: there is no such file."""
        if not _OBJECT_ID.fullmatch(commit):
            return None
        return await file_of(await self._mirror(repository), commit, path)

    async def merge_base(self, repository: str, one: str, other: str) -> str | None:
        """Return the newest commit that two commits of the mirror share, or None.

        Raises:
            ForgeError: the mirror lacks one of them.
        """
        for commit in (one, other):
            _require_id(commit)
        found = await git(await self._mirror(repository), "merge-base", one, other)
        if found.code not in (0, 1):
            raise ForgeError(f"git merge-base failed: {found.stderr.strip()[-500:]}")
        return found.stdout.strip() or None

    async def diffs(self, repository: str, base: str, head: str) -> tuple[FileDiff, ...]:
        """Return the unified diff of each file between two commits of the mirror.

        Raises:
            ForgeError: the mirror lacks one of them.
        """
        for commit in (base, head):
            _require_id(commit)
        return await diffs_of(await self._mirror(repository), base, head)

    async def change(self, repository: str, *, job: Job, base: str, head: str) -> Change:
        """Return what differs between two commits of the mirror.

        Raises:
            ForgeError: the mirror lacks one of them.
        """
        for commit in (base, head):
            _require_id(commit)
        return await change_of(await self._mirror(repository), job=job, base=base, head=head)

    @asynccontextmanager
    async def merged(
        self, repository: str, *, base_branch: str, delivery: Delivery, message: str
    ) -> AsyncIterator[MergeCandidate]:
        """Merge the delivery into the base as last fetched, in a scratch worktree.

        A delivery that the base already holds needs no merge: the candidate is the base itself.

        Raises:
            ForgeError: a branch or commit is missing, or git failed for another reason than a conflict.
        """
        mirror = await self._mirror(repository)
        base = await self._require_head(repository, base_branch)
        _require_id(delivery.commit)
        async with self._worktree(mirror, base) as folder:
            yield await self._merge(mirror, folder, base, delivery.commit, message)

    @asynccontextmanager
    async def merged_in_turn(
        self, repository: str, *, base_branch: str, deliveries: Sequence[tuple[Delivery, str]]
    ) -> AsyncIterator[Sequence[MergeCandidate]]:
        """Merge several deliveries one after the other, in one scratch worktree.

        Raises:
            ForgeError: a branch or commit is missing, or git failed for another reason than a conflict.
        """
        mirror = await self._mirror(repository)
        base = await self._require_head(repository, base_branch)
        for delivery, _ in deliveries:
            _require_id(delivery.commit)
        async with self._worktree(mirror, base) as folder:
            found: list[MergeCandidate] = []
            for delivery, message in deliveries:
                found.append(await self._merge(mirror, folder, base, delivery.commit, message))
                if found[-1].conflicts:
                    break
                base = found[-1].commit
            yield found

    async def _merge(
        self, mirror: Path, folder: Path, base: str, commit: str, message: str
    ) -> MergeCandidate:
        done = await git(folder, "merge-base", "--is-ancestor", commit, base)
        if done.code == 0:
            return MergeCandidate(base_commit=base, commit=base, worktree=folder)
        # The same merge gets the same id on every machine: one may check what another pushes.
        result = await git(
            folder, "merge", "--no-ff", "--no-verify", "--quiet", "-m", message, commit,
            date=await _newest(folder, base, commit),
        )  # fmt: skip
        if result.code == 0:
            merge = await git_ok(folder, "rev-parse", "HEAD")
            await self._keep(mirror, merge)
            return MergeCandidate(base_commit=base, commit=merge, worktree=folder)
        conflicts = await _unmerged(folder)
        if not conflicts:
            raise ForgeError(f"The merge failed: {result.stderr.strip()[-500:]}")
        return MergeCandidate(base_commit=base, conflicts=conflicts)

    @asynccontextmanager
    async def reverted(
        self, repository: str, *, base_branch: str, commit: str, message: str
    ) -> AsyncIterator[MergeCandidate]:
        """Undo a commit in a scratch worktree of the base as last fetched.

        Raises:
            ForgeError: a branch or commit is missing, or git failed for another reason than a conflict.
        """
        mirror = await self._mirror(repository)
        base = await self._require_head(repository, base_branch)
        _require_id(commit)
        async with self._worktree(mirror, base) as folder:
            parents = (await git_ok(folder, "rev-parse", f"{commit}^@")).split()
            side = ["-m", "1"] if len(parents) > 1 else []
            result = await git(folder, "revert", "--no-commit", *side, commit)
            conflicts = await _unmerged(folder)
            if conflicts:
                yield MergeCandidate(base_commit=base, conflicts=conflicts)
                return
            if result.code != 0:
                raise ForgeError(f"git revert failed: {result.stderr.strip()[-500:]}")
            if (await git(folder, "diff", "--cached", "--quiet")).code == 0:
                yield MergeCandidate(base_commit=base, commit=base, worktree=folder)
                return
            # On one base it is one commit, so that asking again finds the same pull request.
            done = await git(
                folder, "commit", "--quiet", "--no-verify", "-m", message,
                date=await _newest(folder, base, commit),
            )  # fmt: skip
            if done.code != 0:
                raise ForgeError(f"git commit failed: {done.stderr.strip()[-500:]}")
            made = await git_ok(folder, "rev-parse", "HEAD")
            await self._keep(mirror, made)
            yield MergeCandidate(base_commit=base, commit=made, worktree=folder)

    @asynccontextmanager
    async def without_change(
        self, repository: str, *, base: str, head: str, paths: Sequence[str]
    ) -> AsyncIterator[Path]:
        """Check out `base` with these files as they are in `head`, in a scratch worktree.

        Raises:
            ForgeError: the mirror lacks a commit, or `head` lacks a file.
        """
        for commit in (base, head):
            _require_id(commit)
        names = "".join(f":(literal,top){path}\0" for path in paths)
        async with self._worktree(await self._mirror(repository), base) as folder:
            if paths:
                await git_ok(
                    folder, "checkout", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul",
                    head, stdin=names.encode("utf-8", "surrogateescape"),
                )  # fmt: skip
            yield folder

    async def push_merge(
        self, repository: str, *, job: Job, base_branch: str, delivery: Delivery,
        candidate: MergeCandidate,
    ) -> MergeOutcome:  # fmt: skip
        """Move the remote's base branch to the candidate, only if it still is at its base.

        Raises:
            ForgeError: the branch moved meanwhile (`context["moved"]`), or git refused.
        """
        del job, delivery  # a push needs neither
        if not candidate.commit:
            raise ForgeError("There is no merge to push: the delivery conflicts with the base.")
        mirror = await self._mirror(repository)
        environment = await self._environment(repository)
        target = f"refs/heads/{base_branch}"
        lease = f"--force-with-lease={target}:{candidate.base_commit}"
        async with self._alone(mirror):
            result = await git(
                mirror, "push", "--porcelain", lease, "--end-of-options", "origin",
                f"{candidate.commit}:{target}", environment=environment,
            )  # fmt: skip
        if result.code == 0:
            await self.fetch(repository)
            if not await self.contains(repository, base_branch, candidate.commit):
                raise ForgeError(
                    f"{repository} took the merge, but {base_branch} does not hold it now.",
                    hint="Someone moved the branch at once; look at its history.",
                )
            return Merged(commit=candidate.commit)
        raise _push_error(repository, base_branch, result.stdout + result.stderr)

    @asynccontextmanager
    async def _alone(self, mirror: Path) -> AsyncIterator[None]:
        """Keep other processes (and our own other tasks) off the mirror's refs and worktrees."""
        lock = AsyncFileLock(
            f"{mirror}.lock", timeout=_LOCK_SECONDS, mode=0o600, is_singleton=False
        )
        try:
            await asyncio.to_thread(make_private_folder, mirror.parent)
            await lock.acquire()
        except Timeout as exc:
            raise ForgeError(
                f"The mirror {mirror} is in use by another program for too long.",
                hint="Another run may hang in git; end it, or try again later.",
            ) from exc
        except OSError as exc:
            raise ForgeError(f"The mirror {mirror} cannot be made: {exc}") from exc
        try:
            yield
        finally:
            await lock.release()

    async def _keep(self, mirror: Path, commit: str) -> None:
        """Point a ref at the commit, so that git never collects it, and drop the oldest such refs.

        The newest `kept_commits` stay; an older delivery or merge that is in no branch is made
        anew when it is needed.
        """
        async with self._alone(mirror):
            await alone_ok(mirror, "update-ref", f"{_KEPT}{commit}", commit)
            listed = await git_ok(
                mirror, "for-each-ref", "--sort=-creatordate", "--format=%(refname)", "--", _KEPT
            )
            refs = listed.splitlines()
            if len(refs) <= self._kept_commits + _KEPT_SLACK:
                return
            gone = refs[self._kept_commits :]
            orders = "".join(f"delete {ref}\n" for ref in gone if ref != f"{_KEPT}{commit}")
            await alone_ok(mirror, "update-ref", "--stdin", stdin=orders.encode())
            await git(mirror, "gc", "--quiet", "--prune=2.weeks.ago")

    @asynccontextmanager
    async def _worktree(self, mirror: Path, commit: str) -> AsyncIterator[Path]:
        scratch = await asyncio.to_thread(ScratchFolder, "jjm-merge-")
        folder = scratch.path / "tree"
        try:
            async with self._alone(mirror):
                await git_ok(mirror, "worktree", "add", "--detach", "--quiet", str(folder), commit)
            yield folder
        finally:
            await asyncio.to_thread(scratch.remove)
            async with self._alone(mirror):
                await git(mirror, "worktree", "prune")

    async def _environment(self, repository: str) -> Mapping[str, str]:
        """Return further variables for git where it talks to the repository's remote."""
        del repository
        return {}

    def _remote(self, repository: str) -> str | None:
        """Return the git URL or path of the repository, or None when none is known."""
        return self._remotes.get(repository)

    async def _mirror(self, repository: str) -> Path:
        remote = self._remote(repository)
        if remote is None:
            raise ForgeError(
                f"No git address is known for {repository}.",
                hint=f"Give one with --remote {repository}=URL or under [remotes] in the configuration.",
            )
        address = _address(remote)
        digest = hashlib.sha256(f"{repository}\0{address}".encode()).hexdigest()[:16]
        mirror = self._cache / f"{digest}.git"
        if not (mirror / "jjm-ready").exists():
            async with self._alone(mirror):
                if not (mirror / "jjm-ready").exists():
                    await self._create(mirror, repository, address)
        return mirror

    async def _create(self, mirror: Path, repository: str, address: str) -> None:
        try:
            await asyncio.to_thread(shutil.rmtree, mirror, ignore_errors=True)
            await asyncio.to_thread(mirror.mkdir, parents=True)
        except OSError as exc:
            raise ForgeError(f"The mirror {mirror} cannot be made: {exc}") from exc
        await git_ok(mirror, "init", "--bare", "--quiet", ".")
        await git_ok(mirror, "config", "remote.origin.url", address)
        await git_ok(mirror, "config", "remote.origin.fetch", f"+refs/heads/*:{_HEADS}*")
        result = await git(
            mirror, "fetch", "--prune", "--no-tags", "--quiet", "origin",
            environment=await self._environment(repository),
        )  # fmt: skip
        if result.code != 0:
            raise ForgeError(
                f"{repository} cannot be fetched from {masked(address)}: {result.stderr.strip()[-500:]}",
                hint="Check the address, and that git can reach it without asking for a password.",
            )
        (mirror / "jjm-ready").write_text(repository, encoding="utf-8")


async def _newest(folder: Path, *commits: str) -> str:
    """Return the date of the newest of the commits, as git reads it."""
    dates = await git_ok(folder, "show", "--no-patch", "--format=%ct", *commits)
    return f"{max(map(int, dates.split()))} +0000"


async def _unmerged(folder: Path) -> tuple[str, ...]:
    listed = await git_ok(folder, "diff", "--name-only", "--diff-filter=U", "-z")
    return tuple(name for name in listed.split("\0") if name)


def _address(remote: str) -> str:
    """Return the remote as git shall see it: a path is made absolute, since git runs elsewhere."""
    return str(Path(remote).expanduser().resolve()) if _is_path(remote) else remote


def _is_path(remote: str) -> bool:
    return "://" not in remote and not re.match(r"[^/]+@?[^/]*:", remote)


def _push_error(repository: str, branch: str, output: str) -> ForgeError:
    if "stale info" in output or "[rejected]" in output or "cannot lock ref" in output:
        return ForgeError(
            f"{branch} of {repository} moved while the merge was checked.", context={"moved": True}
        )
    if "checked out" in output or "denyCurrentBranch" in output:
        return ForgeError(
            f"{branch} of {repository} is checked out in the remote's own folder, so git refuses the push.",
            hint="Use a bare repository as the remote, or run there: "
            "git config receive.denyCurrentBranch updateInstead",
        )
    return ForgeError(f"The merge could not be pushed to {repository}: {output.strip()[-500:]}")


def _require_id(commit: str) -> None:
    """Do nothing when it is a whole commit id: anything else could be a flag or a name.

    Raises:
        ForgeError: it is not.
    """
    if not _OBJECT_ID.fullmatch(commit):
        raise ForgeError(f"{commit!r} is not a commit.")

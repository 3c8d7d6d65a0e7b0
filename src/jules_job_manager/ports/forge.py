"""Where git branches live and merge."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.change import Change
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.report import FileDiff
from jules_job_manager.domain.review import CheckResult, Delivery


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeCandidate:
    """The delivery merged into the base, checked out in a scratch worktree.

    `conflicts` names the files that do not merge; then `commit` is empty and `worktree` None.
    """

    base_commit: str
    commit: str = ""
    worktree: Path | None = None
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """The base branch holds the work."""

    commit: str
    """What holds it, in the base branch: the reviewed merge, or what the forge made of it."""
    note: str = ""
    """What people must know about it; usually empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotYet:
    """The forge lets it be merged later: something is not finished."""

    reason: str
    """What is waited for, as a sentence goes on after "waits: "."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Required checks of the forge failed on the delivery."""

    checks: tuple[CheckResult, ...]


MergeOutcome = Merged | NotYet | Refused


class Holding(StrEnum):
    """How a branch holds the work that ends in a commit."""

    COMMIT = "commit"
    """The commit is in the branch's history."""
    CONTENT = "content"
    """Merging the commit would change nothing: all it brings is there already."""
    SAME_CHANGE = "same_change"
    """A commit of the branch makes the same change as the whole work: it was squashed."""
    SAME_COMMITS = "same_commits"
    """Each commit of the work has a twin in the branch: it was rebased or picked."""


class Forge(Protocol):
    """A place with repositories, named `owner/name`.

    Every method may raise ForgeError; its message never holds credentials.
    """

    async def fetch(self, repository: str) -> None:
        """Bring the local mirror of the repository up to date."""
        ...

    async def head_commit(self, repository: str, branch: str) -> str | None:
        """Return the commit the branch points to (as last fetched), or None when there is none."""
        ...

    async def request_head(self, repository: str, number: int) -> str | None:
        """Fetch a pull or merge request and return its newest commit; None: there is none."""
        ...

    async def tree(self, repository: str, commit: str) -> str:
        """Return the id of the files of a commit: two commits with the same one hold the same."""
        ...

    async def list_branches(self, repository: str) -> list[str]:
        """Return the branches of the remote, as last fetched."""
        ...

    async def contains(self, repository: str, branch: str, commit: str) -> bool | None:
        """Return whether the branch (as last fetched) holds the commit; None: no such commit here."""
        ...

    async def holds_work(self, repository: str, branch: str, commit: str) -> Holding | None:
        """Return how the branch (as last fetched) holds the work that ends in the commit.

        Squash merges, rebases and later edits of the same lines are understood. None: it does
        not hold it, that cannot be told, or there is no such branch or commit.
        """
        ...

    async def deliver_patch(self, repository: str, change_set: ChangeSet, message: str) -> Delivery:
        """Turn a patch into a commit on its base commit, for a delivery without a branch."""
        ...

    async def read_file(self, repository: str, commit: str, path: str) -> bytes | None:
        """Return a file of a commit that was fetched or made; None: there is no such file."""
        ...

    async def merge_base(self, repository: str, one: str, other: str) -> str | None:
        """Return the newest commit that both have in their history; None: they share none."""
        ...

    async def diffs(self, repository: str, base: str, head: str) -> tuple[FileDiff, ...]:
        """Return the unified diff of each file between two commits that were fetched or made."""
        ...

    async def change(self, repository: str, *, job: Job, base: str, head: str) -> Change:
        """Return what differs between two commits that were fetched or made, for rules to look at.

        The trees can be read as long as the mirror has the commits.
        """
        ...

    def merged(
        self, repository: str, *, base_branch: str, delivery: Delivery, message: str
    ) -> AbstractAsyncContextManager[MergeCandidate]:
        """Merge in a scratch worktree that lives as long as the context."""
        ...

    def merged_in_turn(
        self, repository: str, *, base_branch: str, deliveries: Sequence[tuple[Delivery, str]]
    ) -> AbstractAsyncContextManager[Sequence[MergeCandidate]]:
        """Merge several, each with its message, one after the other in one scratch worktree.

        Each candidate's base is the one before it; the worktree is that of the last. The last one
        says what does not merge, and what would come after it is left out.
        """
        ...

    def reverted(
        self, repository: str, *, base_branch: str, commit: str, message: str
    ) -> AbstractAsyncContextManager[MergeCandidate]:
        """Undo a commit of the base branch in a scratch worktree; of a merge, all that it brought.

        The candidate is the base itself when there is nothing left to undo.
        """
        ...

    def without_change(
        self, repository: str, *, base: str, head: str, paths: Sequence[str]
    ) -> AbstractAsyncContextManager[Path]:
        """Check out `base` with these files as they are in `head`, in a scratch worktree.

        Both are commits that were fetched or made; every path is a file of `head`.
        """
        ...

    async def push_merge(
        self,
        repository: str,
        *,
        job: Job,
        base_branch: str,
        delivery: Delivery,
        candidate: MergeCandidate,
    ) -> MergeOutcome:
        """Bring the candidate into the remote's base branch, if that still is at `base_commit`.

        When it returns Merged, the branch was fetched again and holds the commit named there.

        Args:
            repository: Where.
            job: What the delivery is of.
            base_branch: What it is merged into.
            delivery: What was reviewed.
            candidate: The reviewed merge of the delivery into the base.

        Raises:
            ForgeError: the branch moved meanwhile (`context["moved"]` is True) or it failed.
        """
        ...

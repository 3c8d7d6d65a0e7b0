"""A person's own clone of a repository, where lost work is rebuilt as a branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.artifact import ChangeSet


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """What came of rebuilding a piece of work.

    `commit` is empty when there is none: `conflicts` then names the files that do not fit, or
    `nothing_new` says that the place already holds all of it.
    """

    onto: str
    """What it was put on: the patch's base commit, or a branch of the clone by its full name."""
    on_own_base: bool
    """Whether that is the commit the patch was made on; otherwise it was a three-way apply."""
    commit: str = ""
    conflicts: tuple[str, ...] = ()
    nothing_new: bool = False
    problem: str = ""
    """What git said of a patch that does not apply at all."""


class Clone(Protocol):
    """A clone. Its working tree, index, configuration and hooks play no part.

    Every method may raise ForgeError.
    """

    async def is_of(self, repository: str, address: str = "") -> bool:
        """Return whether a remote of the clone is `owner/name`, or at `address`."""
        ...

    async def rebuild(
        self, change_set: ChangeSet, *, base_branch: str, branch: str, message: str, dry_run: bool
    ) -> Rebuilt:
        """Make the work a commit on its base commit, and a new local branch that ends in it.

        Where the base commit is not in the clone, the patch is merged (three ways) into the
        clone's `base_branch`.

        Args:
            change_set: The work.
            base_branch: Where to put it when its base commit is not there.
            branch: Name of the branch; one that is there is never moved.
            message: Of the commit.
            dry_run: Try it out, and leave the clone without a new object.

        Raises:
            InvalidInputError: git refuses the branch name, or there is such a branch.
            ForgeError: no clone, no base commit and no base branch, or git failed.
        """
        ...

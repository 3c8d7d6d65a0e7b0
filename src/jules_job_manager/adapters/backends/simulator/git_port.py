"""What the pretend Jules needs of git. The module `git_work` is one; tests have one in memory."""

from __future__ import annotations

from typing import Protocol

from jules_job_manager.adapters.backends.simulator.git_work import Change, Commit


class GitWork(Protocol):
    """Branches and commits of repositories, named by URL. Every method may raise ForgeError."""

    def branches(self, url: str) -> dict[str, str]:
        """Return the repository's branches and the commits they point to."""
        ...

    def commit_and_push(
        self, url: str, *, base: str, base_branch: str, branch: str, own_head: str, change: Change
    ) -> Commit:
        """Commit on top of `branch` (made from `base` when it does not exist yet) and push it."""
        ...

    def overwrite(
        self, url: str, *, base: str, base_branch: str, branch: str, change: Change
    ) -> Commit:
        """Commit on top of `base`, whatever `branch` holds by now, and push it over that."""
        ...

    def pieces(self, url: str, *, base: str, base_branch: str, change: Change) -> list[str]:
        """Return what `change` would do to `base`, one patch for each file."""
        ...

"""Merges as GitHub makes them, in a bare repository without a worktree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path


def git(repository: Path, *arguments: str, check: bool = True) -> str:
    """Run git and return what it printed; empty when it failed and that is no error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "GitHub", f"GIT_{who}_EMAIL": "noreply@github.com"}
    done = subprocess.run(
        ["git", *arguments], cwd=repository, env=environment, check=check, capture_output=True,
        text=True,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""


def head(repository: Path, branch: str) -> str:
    """Return the branch's commit, or an empty text."""
    return git(repository, "rev-parse", "--verify", "-q", f"refs/heads/{branch}", check=False)


def _merged_tree(repository: Path, *arguments: str) -> str:
    return git(repository, "merge-tree", "--write-tree", *arguments, check=False)


def merge(repository: Path, *, base: str, commit: str, method: str, message: str) -> str:
    """Merge the commit into the branch; return what it is merged as, empty for a conflict."""
    before = head(repository, base)
    tree = _merged_tree(repository, before, commit)
    if not tree:
        return ""
    if method == "rebase":
        made = _rebased(repository, before, commit)
    else:
        parents = ["-p", before] + (["-p", commit] if method == "merge" else [])
        made = git(repository, "commit-tree", tree, *parents, "-m", message)
    if made:
        git(repository, "update-ref", f"refs/heads/{base}", made, before)
    return made


def _rebased(repository: Path, onto: str, commit: str) -> str:
    listed = git(repository, "rev-list", "--reverse", "--no-merges", f"{onto}..{commit}")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        git(repository, "worktree", "add", "-q", "--detach", str(tree), onto)
        try:
            for one in listed.splitlines():
                git(tree, "cherry-pick", "--allow-empty", one)
            return git(tree, "rev-parse", "HEAD")
        except subprocess.CalledProcessError:
            return ""
        finally:
            git(repository, "worktree", "remove", "--force", str(tree))


def ahead(repository: Path, base: str, branch: str) -> int:
    """Return how many commits the branch has that the base has not."""
    return int(git(repository, "rev-list", "--count", f"refs/heads/{base}..refs/heads/{branch}"))

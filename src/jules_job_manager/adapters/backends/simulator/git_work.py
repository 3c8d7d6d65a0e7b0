"""What the pretend Jules does with git: real commits on real branches of real repositories.

Everything happens in scratch repositories; the working tree of the repository is never touched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jules_job_manager.errors import ForgeError

_AUTHOR = "google-labs-jules[bot]"
_EMAIL = "161369871+google-labs-jules[bot]@users.noreply.github.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit that was pushed, and the whole work so far as a patch against the first base."""

    id: str
    patch: str


def branches(url: str) -> dict[str, str]:
    """Return the repository's branches and the commits they point to.

    Raises:
        ForgeError: git cannot read the repository.
    """
    lines = _git(None, "ls-remote", "--heads", "--", url).splitlines()
    pairs = (line.split("\t", 1) for line in lines)
    return {ref.removeprefix("refs/heads/"): commit for commit, ref in pairs}


def commit_and_push(
    url: str,
    *,
    base: str,
    base_branch: str,
    branch: str,
    files: Mapping[str, str],
    delete: Sequence[str],
    message: str,
    at: datetime,
) -> Commit:
    """Commit on `branch` (made from `base` when it does not exist yet) and push it.

    Raises:
        ForgeError: git failed.
    """
    with tempfile.TemporaryDirectory(prefix="jules-") as folder:
        tree = Path(folder)
        _git(tree, "init", "-q")
        exists = branch in branches(url)
        wanted = [f"refs/heads/{base_branch}"] + ([f"refs/heads/{branch}"] if exists else [])
        _git(tree, "fetch", "-q", "--no-tags", "--", url, *wanted)
        start = branches(url)[branch] if exists else base
        _git(tree, "checkout", "-q", "--detach", start)
        for name in delete:
            _git(tree, "rm", "-q", "--ignore-unmatch", "--", name)
        for name, content in files.items():
            _write(tree, name, content)
        _git(tree, "add", "--all", "--force")
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        _git(tree, "commit", "-q", "--allow-empty", "--no-verify", "-m", message, at=stamp)
        commit = _git(tree, "rev-parse", "HEAD").strip()
        patch = _git(tree, "diff", "--binary", "--no-color", "--no-ext-diff", base, "HEAD")
        _git(tree, "push", "-q", "--force", "--", url, f"HEAD:refs/heads/{branch}")
    return Commit(id=commit, patch=patch)


def make_sample(path: Path) -> None:
    """Make a small bare repository with one commit on `main`.

    Raises:
        ForgeError: git failed.
    """
    with tempfile.TemporaryDirectory(prefix="jules-") as folder:
        tree = Path(folder)
        _git(tree, "init", "-q", "-b", "main")
        _write(tree, "README.md", "# Sample\n\nA repository for trying things out.\n")
        _git(tree, "add", "--all")
        _git(tree, "commit", "-q", "-m", "Begin", at="2026-01-01T00:00:00+00:00")
        _git(None, "clone", "-q", "--bare", "--", str(tree), str(path))


def _write(tree: Path, name: str, content: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(tree.resolve()) or path.is_symlink():
        raise ForgeError(f"{name!r} is not inside the repository.")
    path.write_text(content, encoding="utf-8")


def _git(folder: Path | None, *arguments: str, at: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": _AUTHOR,
        "GIT_AUTHOR_EMAIL": _EMAIL,
        "GIT_COMMITTER_NAME": _AUTHOR,
        "GIT_COMMITTER_EMAIL": _EMAIL,
    }
    if at is not None:
        environment |= {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    command = [
        "git",
        "-c",
        f"core.hooksPath={os.devnull}",
        "-c",
        "protocol.ext.allow=never",
        *arguments,
    ]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True,
            timeout=120,
        )  # fmt: skip
    except FileNotFoundError as exc:
        raise ForgeError("git is not installed.") from exc
    except subprocess.TimeoutExpired as exc:
        raise ForgeError(f"git {arguments[0]} took more than two minutes.") from exc
    except subprocess.CalledProcessError as exc:
        words = exc.stderr.decode("utf-8", "replace").strip()
        raise ForgeError(f"git {arguments[0]} failed: {words}") from exc
    return done.stdout.decode("utf-8", "replace")

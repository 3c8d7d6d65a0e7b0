"""What the pretend Jules does with git: real commits on real branches of real repositories.

Everything happens in scratch repositories; the working tree of the repository is never touched.
A commit has the same id whenever the same work is done again at the same moment of the world, so
that work repeated after a crash is recognised. Few processes are started: a simulated day has
hundreds of deliveries.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jules_job_manager.errors import ForgeError

_AUTHOR = "google-labs-jules[bot]"
_EMAIL = "161369871+google-labs-jules[bot]@users.noreply.github.com"
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one commit does: files written whole (path to content), paths removed, words, moment."""

    files: Mapping[str, str] = field(default_factory=dict)
    delete: Sequence[str] = ()
    message: str
    at: datetime


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
    url: str, *, base: str, base_branch: str, branch: str, own_head: str, change: Change
) -> Commit:
    """Commit on top of `branch` (made from `base` when it does not exist yet) and push it.

    Args:
        url: The repository.
        base: The commit the work began at.
        base_branch: A branch that contains it.
        branch: The branch to push.
        own_head: The commit this session pushed there last; empty before the first.
        change: What to commit.

    Raises:
        ForgeError: git failed.
    """
    with _scratch() as folder:
        there = _fetch(folder, url, base_branch, branch)
        own = own_head if own_head and (own_head == there or _has(folder, own_head)) else ""
        made = ""
        if there and there != own:
            # Either others pushed, or this very commit was, just before a crash.
            made = _commit(folder, own or base, change)
        if not made or made != there:
            made = _commit(folder, there or own or base, change)
            _push(folder, url, branch)
        return Commit(id=made, patch=_diff(folder, base))


def overwrite(url: str, *, base: str, base_branch: str, branch: str, change: Change) -> Commit:
    """Commit on top of `base`, whatever `branch` holds by now, and push it over that.

    Raises:
        ForgeError: git failed.
    """
    with _scratch() as folder:
        _fetch(folder, url, base_branch, branch)
        made = _commit(folder, base, change)
        _push(folder, url, branch)
        return Commit(id=made, patch=_diff(folder, base))


def pieces(url: str, *, base: str, base_branch: str, change: Change) -> list[str]:
    """Return what `change` would do to `base`, one patch for each file; nothing is pushed.

    Raises:
        ForgeError: git failed.
    """
    with _scratch() as folder:
        _fetch(folder, url, base_branch, "")
        _commit(folder, base, change)
        return [part for part in re.split(r"(?m)^(?=diff --git )", _diff(folder, base)) if part]


def make_sample(path: Path) -> None:
    """Make a small bare repository with one commit on `main`.

    Raises:
        ForgeError: git failed.
    """
    with tempfile.TemporaryDirectory(prefix="jules-") as folder:
        tree = Path(folder)
        _git(tree, "init", "-q", "-b", "main")
        readme = tree / "README.md"
        readme.write_text("# Sample\n\nA repository for trying things out.\n", encoding="utf-8")
        _git(tree, "add", "--all")
        _git(tree, "commit", "-q", "-m", "Begin", at="2026-01-01T00:00:00+00:00")
        _git(None, "clone", "-q", "--bare", "--", str(tree), str(path))


@contextmanager
def _scratch() -> Iterator[Path]:
    """Yield an empty bare repository, made by hand: `git init` would be one process more."""
    with tempfile.TemporaryDirectory(prefix="jules-") as name:
        folder = Path(name)
        (folder / "objects").mkdir()
        (folder / "refs").mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/made\n", encoding="utf-8")
        (folder / "config").write_text(_CONFIG, encoding="utf-8")
        yield folder


def _fetch(folder: Path, url: str, base_branch: str, branch: str) -> str:
    """Fetch the base branch, and `branch` if it is there; return the commit of the latter."""
    wanted = [f"+refs/heads/{base_branch}:refs/base"]
    if branch:  # a pattern that matches nothing is no failure
        wanted.append(f"+refs/heads/{branch}*:refs/work/x*")
    _git(folder, "fetch", "-q", "--no-tags", "--", url, *wanted)
    return _ref(folder, "refs/work/x")


def _commit(folder: Path, start: str, change: Change) -> str:
    """Make the commit on top of `start` as `refs/heads/made` and return its id."""
    who = f"{_AUTHOR} <{_EMAIL}> {int(change.at.timestamp())} +0000"
    stream = [b"commit refs/heads/made\n", f"committer {who}\n".encode()]
    stream += [_data(change.message + "\n"), f"from {start}\n".encode()]
    stream += [f"D {_quoted(name)}\n".encode() for name in change.delete]
    for name, content in change.files.items():
        stream += [f"M 100644 inline {_quoted(name)}\n".encode(), _data(content)]
    _git(folder, "fast-import", "--quiet", "--force", feed=b"".join(stream))
    return _ref(folder, "refs/heads/made")


def _data(text: str) -> bytes:
    content = text.encode("utf-8", errors="replace")
    return b"data %d\n%b\n" % (len(content), content)


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _push(folder: Path, url: str, branch: str) -> None:
    _git(folder, "push", "-q", "--force", "--", url, f"refs/heads/made:refs/heads/{branch}")


def _diff(folder: Path, base: str) -> str:
    return _git(
        folder, "diff", "--binary", "--no-color", "--no-ext-diff", base, "refs/heads/made", "--"
    )


def _ref(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _has(folder: Path, commit: str) -> bool:
    try:
        _git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except ForgeError:
        return False
    return True


def _git(
    folder: Path | None, *arguments: str, at: str | None = None, feed: bytes | None = None
) -> str:
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
            # As UTF-8 whatever the locale: titles and paths are not ours.
            [part.encode() for part in command], cwd=folder, env=environment, input=feed or b"",
            capture_output=True, check=True, timeout=120,
        )  # fmt: skip
    except FileNotFoundError as exc:
        raise ForgeError("git is not installed.") from exc
    except subprocess.TimeoutExpired as exc:
        raise ForgeError(f"git {arguments[0]} took more than two minutes.") from exc
    except subprocess.CalledProcessError as exc:
        words = exc.stderr.decode("utf-8", "replace").strip()
        raise ForgeError(f"git {arguments[0]} failed: {words}") from exc
    return done.stdout.decode("utf-8", "replace")

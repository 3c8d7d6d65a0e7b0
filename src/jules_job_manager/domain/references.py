"""Reading what people type for a task or a repository: ids, names, URLs."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import urlsplit

from jules_job_manager.errors import InvalidInputError

_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_TASK_PATHS = ("session", "sessions", "task", "tasks")
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def task_id_from(text: str) -> str:
    """Return the bare task id in `text`.

    Accepts a bare id (or the first characters of one), `sessions/ID`, and the web page's
    `https://jules.google.com/session/ID` or `/task/ID` with a query or fragment.

    Raises:
        InvalidInputError: there is no id in it.
    """
    stripped = text.strip()
    try:
        parts = [part for part in urlsplit(stripped).path.split("/") if part]
    except ValueError:  # such as an address with half a pair of brackets
        parts = []
    candidate = stripped
    if "://" in stripped or len(parts) > 1:
        found = [after for kind, after in pairwise(parts) if kind in _TASK_PATHS]
        candidate = found[-1] if found else ""
    if not _TASK_ID.fullmatch(candidate):
        raise InvalidInputError(
            f"{text!r} is not a task id.",
            hint="Give an id as `jjm list` shows it, its first characters, or the task's web address.",
        )
    return candidate


def repository_from(text: str) -> str:
    """Return `owner/name` from what was typed.

    Accepts `owner/name`, `github.com/owner/name`, a GitHub web address, and
    `git@github.com:owner/name.git`.

    Raises:
        InvalidInputError: it is none of these.
    """
    stripped = text.strip().removesuffix("/").removesuffix(".git")
    for prefix in (
        "git@github.com:",
        "ssh://git@github.com/",
        "https://github.com/",
        "http://github.com/",
        "github.com/",
    ):
        if stripped.startswith(prefix):
            stripped = stripped.removeprefix(prefix)
            break
    owner, slash, name = stripped.partition("/")
    if not (slash and _OWNER.fullmatch(owner) and _NAME.fullmatch(name)) or set(name) == {"."}:
        raise InvalidInputError(
            f"{text!r} is not a repository.", hint="Write it as owner/name, for example octo/demo."
        )
    return f"{owner}/{name}"


def request_from(text: str) -> tuple[str, int] | None:
    """Return repository (or nothing) and number of a pull request, or None when it is none.

    Accepts `12`, `#12`, and the web address of a pull request (GitHub, Gitea) or a merge request
    (GitLab).
    """
    stripped = text.strip()
    bare = re.fullmatch(r"#?([1-9][0-9]{0,8})", stripped)
    if bare:
        return "", int(bare[1])
    address = re.fullmatch(
        r"https?://[^/]+/(?P<name>[^/]+/[^/]+)/(?:pulls?|-/merge_requests)/(?P<number>[1-9][0-9]{0,8})"
        r"(?:[/?#].*)?",
        stripped,
    )
    return None if address is None else (address["name"], int(address["number"]))


def require_branch(text: str) -> str:
    """Return `text` if git would take it as a branch name (`git check-ref-format --branch`).

    Raises:
        InvalidInputError: git would refuse it.
    """
    bad = (
        not text
        or text.startswith(("-", "/", "."))
        or text.endswith(("/", ".", ".lock"))
        or any(part in text for part in ("..", "//", "@{", "/.", ".lock/"))
        or any(ord(c) < 33 or c in "~^:?*[\\\x7f" for c in text)
        or text == "@"
    )
    if bad:
        raise InvalidInputError(
            f"{text!r} is not a branch name.", hint="Use a name that git accepts, for example main."
        )
    return text

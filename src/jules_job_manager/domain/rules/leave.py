"""What a job gives leave to: the paths it declares, and those its prompt names."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from jules_job_manager.domain.job import Job

_NOT = re.compile(r"\b(?:not|never|don'?t|without|avoid|leave|keep|except)\b", re.IGNORECASE)
_REMOVES = re.compile(
    r"\b(?:delet|remov|drop|retir|get rid of|clean up|prun|deprecat|replac|obsolete|dead code)\w*",
    re.IGNORECASE,
)


def matches(path: str, pattern: str) -> bool:
    """Return whether a declared path, folder or glob covers the path."""
    pattern = pattern.strip().removeprefix("./")
    if not pattern:
        return False
    return fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")


def declares(job: Job, path: str, *, actions: frozenset[str] = frozenset()) -> bool:
    """Return whether the job lists the path among its files, with one of the actions if given."""
    return any(
        matches(path, file.path) and (not actions or file.action in actions) for file in job.files
    )


def sentences(job: Job) -> list[str]:
    """Return the lines of title and prompt."""
    return [line for line in f"{job.title}\n{job.prompt}".splitlines() if line.strip()]


def prompt_names(job: Job, path: str) -> bool:
    """Return whether the prompt names the path or its file name, and does not forbid it."""
    name = path.rpartition("/")[2]
    word = re.compile(rf"(?<![\w./-])(?:{re.escape(path)}|{re.escape(name)})(?![\w/-])")
    return any(word.search(line) and not _NOT.search(line) for line in sentences(job))


def prompt_speaks_of(job: Job, pattern: re.Pattern[str]) -> bool:
    """Return whether a line of the prompt matches and forbids nothing."""
    return any(pattern.search(line) and not _NOT.search(line) for line in sentences(job))


def may_touch(job: Job, path: str, allowed: tuple[str, ...]) -> bool:
    """Return whether the job or the configuration gives leave to change a protected path."""
    return (
        any(matches(path, pattern) for pattern in allowed)
        or declares(job, path)
        or prompt_names(job, path)
    )


def may_delete(job: Job, path: str, allowed: tuple[str, ...] = ()) -> bool:
    """Return whether the job says that the path goes away."""
    if any(matches(path, pattern) for pattern in allowed):
        return True
    if declares(job, path, actions=frozenset({"delete"})):
        return True
    name = path.rpartition("/")[2]
    word = re.compile(rf"(?<![\w./-])(?:{re.escape(path)}|{re.escape(name)})(?![\w/-])")
    return any(
        word.search(line) and _REMOVES.search(line) and not _NOT.search(line)
        for line in sentences(job)
    )


def speaks_of_removal(job: Job) -> bool:
    """Return whether the job is (also) about taking something out."""
    if any(file.action == "delete" for file in job.files):
        return True
    return any(_REMOVES.search(line) and not _NOT.search(line) for line in sentences(job))

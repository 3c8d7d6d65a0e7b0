"""Which jobs touch the same files, and so had better not run together."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from jules_job_manager.domain.job import Job


def touched_paths(job: Job, known: Iterable[str] = ()) -> frozenset[tuple[str, str]]:
    """Return the files a job declares or is known to touch, as (repository, path).

    Args:
        job: Its `files` are what it declares.
        known: Paths its attempts were seen to change.
    """
    declared = (file.path for file in job.files)
    paths = (posixpath.normpath(path) for path in (*declared, *known) if path.strip())
    return frozenset((job.repository.casefold(), path) for path in paths)


class BusyFiles:
    """The files that work in progress touches. Grows while jobs are chosen."""

    def __init__(self) -> None:
        """Begin with none."""
        self._owners: dict[tuple[str, str], str] = {}

    def add(self, job: Job, known: Iterable[str] = ()) -> None:
        """Note that `job` is at work."""
        for path in touched_paths(job, known):
            self._owners.setdefault(path, job.key)

    def conflict(self, job: Job) -> tuple[str, str] | None:
        """Return a path that `job` shares with work in progress and whose it is, or None."""
        if not self._owners or not job.files:
            return None
        repository = job.repository.casefold()
        for file in job.files:
            path = posixpath.normpath(file.path) if file.path.strip() else ""
            owner = self._owners.get((repository, path))
            if owner is not None and owner != job.key:
                return path, owner
        return None

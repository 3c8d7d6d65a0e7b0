"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Review


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDiff:
    """A changed file and what changed in it."""

    path: str
    """In the merge result; of a deleted file, in the base."""
    diff: str | None = None
    """Unified diff of this file alone; None: it is binary or was not asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportInput:
    """A review and what surrounds it. No text in it is trusted, and none needs to be short."""

    review: Review
    title: str = ""
    """What was to be done, in one line; empty: the title of the job."""
    repository: str = ""
    branch: str = ""
    """The branch reviewed; empty for a bare patch."""
    job: Job | None = None
    files: tuple[FileDiff, ...] = ()
    promised_check: str = ""
    """Name of the check that saw the promised files; empty: none did."""

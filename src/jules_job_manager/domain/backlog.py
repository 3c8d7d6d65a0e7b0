"""What a reader makes of a backlog document, and what a writer is asked to put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from jules_job_manager.domain.job import Job, JobStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something in a document that could not be understood. `line` counts from 1."""

    line: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """A document read: its jobs in document order, its shared notes, and what was not understood."""

    title: str = ""
    jobs: tuple[Job, ...] = ()
    review_notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    job_lines: Mapping[str, int] = field(default_factory=dict)
    """The line (from 1) where each job's entry begins, by key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobProgress:
    """What shall stand in the document for one job. None leaves a place untouched."""

    key: str
    status: JobStatus
    started_on: date | None = None
    finished_on: date | None = None
    note: str | None = None
    as_of: date | None = None
    """The day this was so. An end in the document that is not later is that of an earlier run."""
    checked: frozenset[str] = frozenset()
    """Texts of the checklist lines to tick."""
    unchecked: frozenset[str] = frozenset()
    """Texts of those that are not ticked any more, because the work was taken back."""

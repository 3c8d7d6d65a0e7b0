"""Asks a program or agent what it thinks of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.reviewer import ReviewerSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back."""

    answer: bytes = b""
    """What it printed, whatever that is, of a bounded length."""
    problem: str = ""
    """Why there is no answer, as the rest of a sentence that begins with its name; empty: there is
    one."""
    log: str = ""
    """What it said beside its answer, bounded; for people who look for its faults."""
    duration_seconds: float = 0.0


class ReviewerAccess(Protocol):
    """A way to ask reviewers.

    The request is out of the delivery's reach until the answer is there: nothing of the delivery
    runs beside the reviewer, unless the reviewer itself runs it.
    """

    async def ask(self, spec: ReviewerSpec, *, request: str, change: Change) -> Reply:
        """Ask one reviewer; whatever goes wrong on its side is told as a problem.

        Args:
            spec: Who is asked.
            request: The request, JSON on one line.
            change: The files before and after, for it to look at.
        """
        ...

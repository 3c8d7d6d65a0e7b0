"""Looks for what is dangerous in the contents of files, without running any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.scans import Scan


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """One place that a scanner points at."""

    file: int
    """Which of the given files, from 0."""
    line: int
    """From 1, in the lines that the scanner sees: CR, LF and CRLF end one."""
    last_line: int
    code: str
    """What was found, in the scanner's word."""
    message: str
    """For people; it never repeats a secret."""
    is_severe: bool
    secret: str = ""
    """A hash of the secret itself; empty: it is none."""


class Scanner(Protocol):
    """A scanner program."""

    @property
    def scan(self) -> Scan:
        """The check that it makes."""
        ...

    def missing(self) -> str:
        """Return why it cannot be used here, in one sentence; empty: it can."""
        ...

    async def hits(self, files: Sequence[tuple[str, bytes]]) -> list[Hit]:
        """Return what it finds.

        No configuration and no remark in a file can hold it back.

        Args:
            files: Of each the ending of its name (`.py`, or empty) and its content.

        Raises:
            OperationFailedError: it failed or took too long.
        """
        ...

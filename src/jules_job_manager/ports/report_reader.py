"""Reads what a test program left behind in a folder that nobody can trust."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from jules_job_manager.domain.test_report import CoverageReport, TestReport


class ReportReader(Protocol):
    """Reads reports that tests of a delivery wrote. They may lie, so an exit code counts first.

    No link is followed and no more than a bounded size is read. Every method raises
    OperationFailedError, with a sentence, when there is no such file or it cannot be used.
    """

    async def tests(self, folder: Path, path: str) -> TestReport:
        """Return the tests of a JUnit XML file."""
        ...

    async def coverage(self, folder: Path, path: str) -> CoverageReport:
        """Return the lines of a Cobertura XML or an LCOV file."""
        ...

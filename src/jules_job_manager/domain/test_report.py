"""What a test program wrote about its run: which tests ran, and which lines they reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class Outcome(StrEnum):
    """How one test ended, in JUnit's words."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def is_bad(self) -> bool:
        """Whether it makes the run fail."""
        return self in {Outcome.FAILED, Outcome.ERROR}


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCase:
    """One test of a run. Every text is what the tested program wrote."""

    __test__ = False  # for pytest, which would take the name for a test class
    name: str
    classname: str = ""
    path: str = ""
    line: int = 0
    """From 1; 0: unknown."""
    outcome: Outcome = Outcome.PASSED
    message: str = ""

    @property
    def id(self) -> str:
        """`classname.name`, as a quarantine names it."""
        return f"{self.classname}.{self.name}" if self.classname else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class TestReport:
    """The tests of one run."""

    __test__ = False
    cases: tuple[TestCase, ...] = ()

    @property
    def bad(self) -> tuple[TestCase, ...]:
        """Tests that failed or could not be run."""
        return tuple(case for case in self.cases if case.outcome.is_bad)

    @property
    def ran(self) -> int:
        """Tests that were not skipped."""
        return sum(case.outcome is not Outcome.SKIPPED for case in self.cases)


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageReport:
    """The lines, from 1, that can be run, of each file by its path in the repository."""

    reached: Mapping[str, frozenset[int]] = field(default_factory=dict)
    missed: Mapping[str, frozenset[int]] = field(default_factory=dict)


def quarantined(case: TestCase, patterns: Sequence[str]) -> bool:
    """Return whether a quarantine names the test: its id or name, `*` for any text."""
    return any(fnmatchcase(case.id, p) or fnmatchcase(case.name, p) for p in patterns)

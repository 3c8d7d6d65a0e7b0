"""Deliveries, the checks run on them, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from jules_job_manager.domain.clockwork import optional_from_rfc3339, optional_to_rfc3339
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.opinion import Opinion

MOST_PATHS = 2000
"""Of the files that a delivery changes, kept with its review."""


class Conclusion(StrEnum):
    """How a check ended, in GitHub's words."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"


class Verdict(StrEnum):
    """What a review decided."""

    ACCEPT = "accept"
    REJECT = "reject"
    ESCALATE = "escalate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What an attempt hands over, pinned to a commit. `branch` is empty for a bare patch."""

    commit: str
    branch: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One check on one delivery. `output` is the evidence, cut to a bounded length."""

    name: str
    conclusion: Conclusion
    output: str = ""
    exit_code: int | None = None
    duration_seconds: float = 0.0
    is_required: bool = True
    """Whether its failure rejects the delivery."""
    command: str = ""
    """What was run; empty: a rule that runs nothing."""
    log_sha256: str = ""
    """Hash of the whole output, also of what `output` leaves out."""
    findings: tuple[Finding, ...] = ()
    is_flaky: bool = False
    """It failed first and passed when it was run again."""
    proves: tuple[str, ...] = ()
    """Lines of a checklist that it proves when it passes; see `CommandCheck.proves`."""
    opinions: tuple[Opinion, ...] = ()
    """What a reviewer says about lines of the checklist."""

    @property
    def is_failed(self) -> bool:
        """Whether it rejects the delivery."""
        return self.is_required and self.conclusion in {Conclusion.FAILURE, Conclusion.TIMED_OUT}

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "name": self.name,
            "conclusion": self.conclusion.value,
            "output": self.output,
            "exit_code": self.exit_code,
            "duration_seconds": self.duration_seconds,
            "required": self.is_required,
            "command": self.command,
            "log_sha256": self.log_sha256,
            "findings": [finding.to_dict() for finding in self.findings],
            "flaky": self.is_flaky,
            "proves": list(self.proves),
            "opinions": [opinion.to_dict() for opinion in self.opinions],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `name` is missing.
            ValueError: the conclusion is not one.
        """
        return cls(
            name=str(data["name"]),
            conclusion=Conclusion(data.get("conclusion", "neutral")),
            output=str(data.get("output", "")),
            exit_code=data.get("exit_code"),
            duration_seconds=float(data.get("duration_seconds", 0.0)),
            is_required=bool(data.get("required", True)),
            command=str(data.get("command", "")),
            log_sha256=str(data.get("log_sha256", "")),
            findings=tuple(Finding.from_dict(item) for item in data.get("findings") or ()),
            is_flaky=bool(data.get("flaky", False)),
            proves=tuple(str(line) for line in data.get("proves") or ()),
            opinions=tuple(Opinion.from_dict(item) for item in data.get("opinions") or ()),
        )


def verdict_of(checks: Sequence[CheckResult]) -> Verdict:
    """Return what these checks decide: one required failure rejects, one left open asks a person."""
    if any(check.is_failed for check in checks):
        return Verdict.REJECT
    open_ends = (c.is_required and c.conclusion is Conclusion.ACTION_REQUIRED for c in checks)
    return Verdict.ESCALATE if any(open_ends) else Verdict.ACCEPT


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """All checks of one delivery on one base commit, and the verdict."""

    job_key: str
    mark: str
    """The attempt reviewed."""
    delivered_commit: str
    base_commit: str
    verdict: Verdict
    checks: tuple[CheckResult, ...] = ()
    merge_commit: str = ""
    """The commit the checks ran on: the delivery merged into the base."""
    at: datetime | None = None
    check_set: str = ""
    """Digest of the plan that chose the checks."""
    changed_files: int = 0
    changed_lines: int = 0
    """Added and removed."""
    changed_paths: tuple[str, ...] = ()
    """The first MOST_PATHS of them, in text order."""

    def to_dict(self) -> dict[str, Any]:
        """Return the review as JSON values."""
        return {
            "job_key": self.job_key,
            "mark": self.mark,
            "delivered_commit": self.delivered_commit,
            "base_commit": self.base_commit,
            "verdict": self.verdict.value,
            "checks": [check.to_dict() for check in self.checks],
            "merge_commit": self.merge_commit,
            "at": optional_to_rfc3339(self.at),
            "check_set": self.check_set,
            "changed_files": self.changed_files,
            "changed_lines": self.changed_lines,
            "changed_paths": list(self.changed_paths),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: a required member is missing.
            ValueError: a verdict or time is not one.
        """
        return cls(
            job_key=str(data["job_key"]),
            mark=str(data["mark"]),
            delivered_commit=str(data["delivered_commit"]),
            base_commit=str(data["base_commit"]),
            verdict=Verdict(data["verdict"]),
            checks=tuple(CheckResult.from_dict(check) for check in data.get("checks") or ()),
            merge_commit=str(data.get("merge_commit") or ""),
            at=optional_from_rfc3339(data.get("at")),
            check_set=str(data.get("check_set", "")),
            changed_files=int(data.get("changed_files") or 0),
            changed_lines=int(data.get("changed_lines") or 0),
            changed_paths=tuple(str(path) for path in data.get("changed_paths") or ()),
        )

"""What GitHub's check runs and commit statuses of one commit say together.

Source: docs.github.com/en/rest/checks/runs (status, conclusion), /rest/commits/statuses (state) and
"About status checks" (success, skipped and neutral let a pull request be merged), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.text import safe_text

PREFIX = "GitHub check: "
OUTPUT_CHARACTERS = 4000
_NAME_CHARACTERS = 200
_PASSED = {"success": Conclusion.SUCCESS, "neutral": Conclusion.NEUTRAL,
           "skipped": Conclusion.SKIPPED}  # fmt: skip
_FAILED = {"failure": Conclusion.FAILURE, "timed_out": Conclusion.TIMED_OUT,
           "startup_failure": Conclusion.FAILURE, "error": Conclusion.FAILURE}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class HostCheck:
    """One check run or commit status."""

    name: str
    word: str
    """GitHub's word for where it stands: a conclusion, or a status that is not final."""
    output: str = ""

    @property
    def has_passed(self) -> bool:
        """Whether GitHub would let it be merged."""
        return self.word in _PASSED

    @property
    def has_failed(self) -> bool:
        """Whether the delivery is at fault. One that was cancelled or waits for a person is not."""
        return self.word in _FAILED

    def result(self, *, is_required: bool) -> CheckResult:
        """Return a check of a review."""
        conclusion = _PASSED.get(self.word) or _FAILED.get(self.word, Conclusion.ACTION_REQUIRED)
        return CheckResult(
            name=PREFIX + self.name, conclusion=conclusion, output=self.output,
            is_required=is_required,
        )  # fmt: skip


def host_checks(runs: Iterable[Any], statuses: Iterable[Any]) -> list[HostCheck]:
    """Return what was read of both kinds; what has no name is left out."""
    found = [_of_run(run) for run in runs if isinstance(run, Mapping)]
    found += [_of_status(status) for status in statuses if isinstance(status, Mapping)]
    return [check for check in found if check.name]


def judged(
    required: Sequence[str], checks: Sequence[HostCheck]
) -> tuple[list[str], list[CheckResult]]:
    """Return what is waited for, in words, and the required checks that failed.

    One that is not there is waited for. Where several have the name, all of them count.
    """
    waits: list[str] = []
    failed: list[CheckResult] = []
    for name in required:
        named = [check for check in checks if check.name == name]
        bad = [check for check in named if check.has_failed]
        if bad:
            failed += [check.result(is_required=True) for check in bad[:1]]
            continue
        open_ones = [check.word for check in named if not check.has_passed]
        if not named:
            waits.append(f"{name} has not begun")
        elif open_ones:
            waits.append(f"{name} is {open_ones[0].replace('_', ' ')}")
    return waits, failed


def _of_run(run: Mapping[str, Any]) -> HostCheck:
    finished = run.get("status") == "completed"
    word = run.get("conclusion") if finished else run.get("status")
    shown = run.get("output")
    output = shown if isinstance(shown, Mapping) else {}
    parts = [str(output.get(part) or "") for part in ("title", "summary", "text")]
    return HostCheck(
        name=_name(run.get("name")), word=_word(word), output=_bounded("\n\n".join(filter(None, parts)))
    )  # fmt: skip


def _of_status(status: Mapping[str, Any]) -> HostCheck:
    return HostCheck(
        name=_name(status.get("context")), word=_word(status.get("state")),
        output=_bounded(str(status.get("description") or "")),
    )  # fmt: skip


def _name(value: Any) -> str:
    return value[:_NAME_CHARACTERS] if isinstance(value, str) else ""


def _word(value: Any) -> str:
    return safe_text(value)[:40] if isinstance(value, str) and value else "unknown"


def _bounded(text: str) -> str:
    text = safe_text(text[: OUTPUT_CHARACTERS * 2], multiline=True)
    return text if len(text) <= OUTPUT_CHARACTERS else text[:OUTPUT_CHARACTERS] + "\n…"

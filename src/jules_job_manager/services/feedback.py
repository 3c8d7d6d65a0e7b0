"""The message that sends a rejected delivery back to its task."""

from __future__ import annotations

from collections.abc import Sequence

from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.text import shorten

FEEDBACK_OUTPUT_CHARACTERS = 4000
"""Most characters of one check's output in a message: its end, where failures stand."""

MOST_TESTS = 20


def feedback_mark(mark: str, number: int) -> str:
    """Return what stands in the feedback of a round, so that it is recognised among messages."""
    return f"[jjm:{mark}#{number}]"


def feedback_for(checks: Sequence[CheckResult], *, mark: str, number: int) -> str:
    """Return the message that sends a rejected delivery back to its task.

    Args:
        checks: Of the review; none when there was nothing to review.
        mark: Of the attempt.
        number: Of the round, from 1.
    """
    head = f"Review {number} {feedback_mark(mark, number)}: "
    if not checks:
        return (
            head + "you finished without delivering a branch or a change. "
            "Please do the work and commit it."
        )
    parts = [
        head + "your delivery was checked after merging it into the base branch, "
        "and it is not done yet."
    ]
    parts.append(failures(checks))
    parts.append("Please fix this on the same branch and finish the task again.")
    return "\n\n".join(part for part in parts if part)


def failures(checks: Sequence[CheckResult]) -> str:
    """Return what each required check that failed says, as Markdown; nothing when none did."""
    parts = []
    for check in checks:
        if not check.is_failed:
            continue
        how = "ran out of time" if check.conclusion is Conclusion.TIMED_OUT else "failed"
        code = "" if check.exit_code is None else f" (exit code {check.exit_code})"
        parts.append(f"Check {how}: {check.name}{code}")
        parts += _failed_tests(check)
        output = check.output[-FEEDBACK_OUTPUT_CHARACTERS:].replace("```", "'''").strip()
        if output:
            parts.append(f"```\n{output}\n```")
    return "\n\n".join(parts)


def _failed_tests(check: CheckResult) -> list[str]:
    """Return the tests that failed, where a command's report names them."""
    if not check.command or not check.findings:
        return []
    lines = [
        f"- {_place(found)}{shorten(found.message, 300)}" for found in check.findings[:MOST_TESTS]
    ]
    left = len(check.findings) - MOST_TESTS
    return ["\n".join([*lines, f"- and {left} more"] if left > 0 else lines)]


def _place(found: Finding) -> str:
    if not found.path:
        return ""
    return f"{found.path}:{found.line}: " if found.line else f"{found.path}: "

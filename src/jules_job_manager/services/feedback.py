"""The message that sends a rejected delivery back to its task."""

from __future__ import annotations

from collections.abc import Sequence

from jules_job_manager.domain.review import CheckResult, Conclusion

FEEDBACK_OUTPUT_CHARACTERS = 4000
"""Most characters of one check's output in a message: its end, where failures stand."""


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
    for check in checks:
        if not check.is_failed:
            continue
        how = "ran out of time" if check.conclusion is Conclusion.TIMED_OUT else "failed"
        code = "" if check.exit_code is None else f" (exit code {check.exit_code})"
        parts.append(f"Check {how}: {check.name}{code}")
        output = check.output[-FEEDBACK_OUTPUT_CHARACTERS:].replace("```", "'''").strip()
        if output:
            parts.append(f"```\n{output}\n```")
    parts.append("Please fix this on the same branch and finish the task again.")
    return "\n\n".join(parts)

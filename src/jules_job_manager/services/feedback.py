"""The message that sends a rejected delivery back to its task."""

from __future__ import annotations

from collections.abc import Sequence

from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.pull_request import PullRequestComment, PullRequestFeedback
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.text import fenced, safe_text, shorten

FEEDBACK_OUTPUT_CHARACTERS = 4000
"""Most characters of one check's output in a message: its end, where failures stand."""

MOST_TESTS = 20
COMMENT_CHARACTERS = 2000
"""Most characters of one comment in a message: its beginning."""
MOST_COMMENTS = 20
"""Most comments in a message; the rest goes with the next one."""
MOST_HOST_CHECKS = 5


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


def with_pull_request(text: str, told: PullRequestFeedback, checks: Sequence[CheckResult]) -> str:
    """Return the message with what the code host and people say about the same delivery.

    Args:
        text: Of `feedback_for`.
        told: What is to be added.
        checks: Of the review; what it has told already is not told again.
    """
    known = {check.name for check in checks if check.is_failed}
    parts = [text]
    for check in [c for c in told.checks if c.name not in known][:MOST_HOST_CHECKS]:
        parts.append(f"On the pull request this check failed: {shorten(check.name, 200)}")
        output = safe_text(check.output, multiline=True)[-FEEDBACK_OUTPUT_CHARACTERS:].strip()
        parts += [fenced(output)] if output else []
    for comment in told.comments[:MOST_COMMENTS]:
        parts.append(_comment_head(comment))
        body = safe_text(comment.body, multiline=True)
        cut = body[:COMMENT_CHARACTERS] + ("\n…" if len(body) > COMMENT_CHARACTERS else "")
        parts.append(fenced(cut))
    return "\n\n".join(parts)


def _comment_head(comment: PullRequestComment) -> str:
    place = ""
    if comment.path:
        line = "" if comment.line is None else f", line {comment.line}"
        place = f" about {shorten(comment.path, 300)}{line}"
    return f"{shorten(comment.author, 60)} wrote on the pull request{place}:"

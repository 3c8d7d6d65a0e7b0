"""The words and signs that all formats for people share."""

from __future__ import annotations

from jules_job_manager.domain.report.checklist import ItemState
from jules_job_manager.domain.report.texts import Tail
from jules_job_manager.domain.report.view import CheckView, ReportView
from jules_job_manager.domain.review import Conclusion, Verdict

VERDICTS = {
    Verdict.ACCEPT: "✓ Accepted",
    Verdict.REJECT: "✗ Rejected",
    Verdict.ESCALATE: "! Needs a person",
}
ITEM_SIGNS = {ItemState.PROVEN: "✓", ItemState.REFUTED: "✗", ItemState.UNPROVEN: "–"}


def sign(check: CheckView) -> str:
    """Return `✓` passed, `✗` failed, `!` failed but only advises, or a dash: it says nothing."""
    if check.has_failed:
        return "✗" if check.is_required else "!"
    return "✓" if check.conclusion is Conclusion.SUCCESS else "–"


def kind(check: CheckView) -> str:
    """Return whether its failure rejects the delivery."""
    return "required" if check.is_required else "advisory"


def conclusion(check: CheckView) -> str:
    """Return how it ended: `failure (exit 1)`, `success (flaky)`."""
    word = check.conclusion.value.replace("_", " ")
    marks = []
    if check.exit_code and check.has_failed:
        marks.append(f"exit {check.exit_code}")
    if check.is_flaky:
        marks.append("flaky")
    return f"{word} ({', '.join(marks)})" if marks else word


def duration(seconds: float) -> str:
    """Return a length of time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 1 min`; nothing below 0.05 s."""
    if seconds < 0.05:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def summary(report: ReportView) -> str:
    """Return one sentence on the checks and one on the checklist."""
    total = len(report.checks) + report.checks_left_out
    if not total:
        first = "No check was run."
    elif not report.failed:
        first = f"No check failed ({total} run)."
    else:
        advisory = report.failed_advisory
        only = f", {advisory} of them only advisory" if advisory else ""
        first = f"{report.failed} of {counted(total, 'check')} failed{only}."
    if not report.item_counts:
        return first
    second = ", ".join(f"{count} {state.value}" for state, count in report.item_counts.items())
    return f"{first} Checklist: {second}."


def commits(report: ReportView) -> str:
    """Return which commits were looked at, by their first 12 characters."""
    words = f"commit {report.delivered_commit[:12]} on base {report.base_commit[:12]}"
    return f"{words}, merged as {report.merge_commit[:12]}" if report.merge_commit else words


def moment(report: ReportView) -> str:
    """Return `2026-01-02 03:04 UTC`, or nothing."""
    return f"{report.at[:10]} {report.at[11:16]} UTC" if report.at else ""


def cut_note(output: Tail) -> str:
    """Return what is left out of an output; nothing when it is whole."""
    if not output.is_cut:
        return ""
    if not output.text:
        return "the output is left out"
    if output.lines_left_out:
        return f"{counted(output.lines_left_out, 'line')} before this left out"
    return "the start of the line is left out"


def counted(number: int, noun: str) -> str:
    """Return `1 check` or `3 checks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

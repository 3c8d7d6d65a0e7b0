"""Whether tests reach the lines that a delivery changed."""

from __future__ import annotations

from itertools import groupby

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.test_report import CoverageReport

MOST_FINDINGS = 50


def lines_reached(
    change: Change, report: CoverageReport, *, least_percent: int, name: str
) -> CheckResult:
    """Return whether the tests reached enough of the changed lines that can be run.

    Lines that the report does not know (comments, other languages) do not count. A changed code
    file that it does not know at all says nothing either: configure the tool to list every file.

    Args:
        change: The delivery.
        report: What the tests reached.
        least_percent: Of the changed lines, 1 to 100.
        name: Of the result.
    """
    reached, missed, findings = 0, 0, []
    for file in change.files:
        hit = file.added_lines & report.reached.get(file.path, frozenset())
        lacking = file.added_lines & report.missed.get(file.path, frozenset())
        reached, missed = reached + len(hit), missed + len(lacking)
        findings += [
            Finding(rule=name, path=file.path, line=first, message=_words(first, last), level=Level.WARNING)
            for first, last in _runs(sorted(lacking))
        ]  # fmt: skip
    total = reached + missed
    if not total:
        return CheckResult(
            name=name, conclusion=Conclusion.NEUTRAL,
            output="The report knows none of the changed lines.",
        )  # fmt: skip
    percent = 100 * reached / total
    enough = percent >= least_percent
    lines = [(f"{reached} of {total} changed lines are reached by tests ({percent:.0f} %; "
             f"{least_percent} % are wanted).")]  # fmt: skip
    lines += [f"- {found.path}:{found.line}: {found.message}" for found in findings[:MOST_FINDINGS]]
    return CheckResult(
        name=name, conclusion=Conclusion.SUCCESS if enough else Conclusion.FAILURE,
        output="\n".join(lines), findings=tuple(findings[:MOST_FINDINGS]),
    )  # fmt: skip


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    grouped = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    runs = [[number for _, number in group] for _, group in grouped]
    return [(run[0], run[-1]) for run in runs]


def _words(first: int, last: int) -> str:
    return "no test reaches this line" if first == last else f"no test reaches lines {first}-{last}"

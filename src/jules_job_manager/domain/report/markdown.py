"""A review as a comment on a pull request, in GitHub's Markdown.

Whatever others wrote stands in a code span, in a fence, or, escaped, in a `code` element. There
GitHub makes no mention, no link and no reference, and reads no HTML.
Source: github.github.com/gfm, sections 4.5, 4.6, 4.10 and 6.3, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from jules_job_manager.domain.finding import Level
from jules_job_manager.domain.report import words
from jules_job_manager.domain.report.checklist import ItemState
from jules_job_manager.domain.report.model import ReportInput
from jules_job_manager.domain.report.view import (
    CheckView,
    FindingView,
    Limits,
    ReportView,
    view,
)
from jules_job_manager.domain.text import fenced

LIMITS = Limits(
    checks=60, findings=100, items=60, files=100, output_lines=60,
    output_characters=6_000, outputs_characters=40_000, file_lines=0, diff_lines=0,
)  # fmt: skip
LONGEST = 60_000
"""Characters of the whole text. GitHub refuses a comment of more than 65,536."""
_ROOM = {"checks": 14_000, "findings": 18_000, "checklist": 12_000}


def to_markdown(report: ReportInput) -> str:
    """Return the report as at most `LONGEST` characters of Markdown, with a line end."""
    shown = view(report, LIMITS)
    parts = [*_head(shown), *_checks(shown), *_findings(shown), *_checklist(shown)]
    text = "\n".join(parts)
    return text + "\n" + _outputs(shown, LONGEST - len(text) - 200)


def code(text: str, *, in_table: bool = False) -> str:
    """Return a code span of a single line that nothing in `text` can close.

    A vertical bar in a table is written with a backslash; where one already stands before it,
    readers disagree, so the bar becomes a drawn one.
    """
    if not text:
        return ""
    if in_table:
        text = text.replace("\\|", "\\│").replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _head(report: ReportView) -> list[str]:
    title = f": {code(report.title)}" if report.title else ""
    named = (("", report.repository), ("branch ", report.branch), ("job ", report.job_key),
             ("attempt ", report.mark))  # fmt: skip
    facts = [label + code(value) for label, value in named if value]
    reviewed = [
        label + code(value[:12])
        for label, value in (
            ("commit ", report.delivered_commit),
            ("base ", report.base_commit),
            ("merged as ", report.merge_commit),
        )
        if value
    ]
    lines = [" · ".join(facts), " · ".join(filter(None, [*reviewed, words.moment(report)]))]
    return [
        f"## {words.VERDICTS[report.verdict]}{title}",
        "",
        words.summary(report),
        "",
        "<br>\n".join(filter(None, lines)),
        "",
    ]


def _checks(report: ReportView) -> list[str]:
    if not report.checks:
        return []
    head = ["| | Check | | Conclusion | Time |", "|---|---|---|---|--:|"]
    rows = [
        f"| {words.sign(check)} | {code(check.name, in_table=True)} | {words.kind(check)} "
        f"| {words.conclusion(check)} | {words.duration(check.duration_seconds)} |"
        for check in report.checks
    ]
    kept, cut = _within(rows, _ROOM["checks"], [not check.has_failed for check in report.checks])
    return [*head, *kept, "", *_more(cut + report.checks_left_out, "check")]


def _findings(report: ReportView) -> list[str]:
    if not report.findings and not report.findings_left_out:
        return []
    pairs = [("", finding) for finding in report.unplaced]
    pairs += [(file.path, finding) for file in report.files for finding in file.findings]
    # Each is measured with its file's name, so that any of them may be the first of its file.
    blocks = [f"\n**{code(path)}**\n\n- {_finding(finding)}" for path, finding in pairs]
    levels = list(Level)
    ranks = [levels.index(finding.level) for _, finding in pairs]
    kept = set(_chosen(blocks, _ROOM["findings"], ranks))
    lines: list[str] = []
    last = ""
    for number, (path, finding) in enumerate(pairs):
        if number in kept:
            lines += [blocks[number] if path != last else f"- {_finding(finding)}"]
            last = path
    missing = len(report.findings) + report.findings_left_out - len(kept)
    return ["### Findings", "", *lines, "", *_more(missing, "finding")]


def _finding(finding: FindingView) -> str:
    where = f"line {finding.line}: " if finding.path and finding.line else ""
    return f"{finding.level.value}, {where}{code(finding.message)} ({code(finding.rule)})"


def _checklist(report: ReportView) -> list[str]:
    if not report.items:
        return []
    lines = [
        f"- {words.ITEM_SIGNS[item.state]} {item.state.value}: {code(item.text)}"
        + (f" by {code(item.evidence)}" if item.evidence else "")
        for item in report.items
    ]
    ranks = [item.state is not ItemState.REFUTED for item in report.items]
    kept, cut = _within(lines, _ROOM["checklist"], ranks)
    return ["### Checklist", "", *kept, "", *_more(cut + report.items_left_out, "line")]


def _outputs(report: ReportView, room: int) -> str:
    with_output = [c for c in report.checks if c.output.text or c.output.is_cut]
    shown = sorted(with_output, key=lambda check: not check.has_failed)
    kept, cut = _within([_output(check) for check in shown], room, range(len(shown)))
    return "\n".join([*kept, *_more(cut, "output")]) + ("\n" if cut else "")


def _output(check: CheckView) -> str:
    note = words.cut_note(check.output)
    name = f"{words.sign(check)} Output of <code>{escape(check.name)}</code>"
    ran = f"Command: {code(check.command)}\n\n" if check.command else ""
    left_out = f"*{note[0].upper()}{note[1:]}.*\n\n" if note else ""
    body = fenced(check.output.text, "text") + "\n\n" if check.output.text else ""
    return f"<details><summary>{name}</summary>\n\n{ran}{left_out}{body}</details>\n"


def _within(blocks: Sequence[str], room: int, ranks: Sequence[int]) -> tuple[list[str], int]:
    """Return the blocks that fit, those of the lowest ranks first, and how many do not."""
    kept = _chosen(blocks, room, ranks)
    return [blocks[number] for number in kept], len(blocks) - len(kept)


def _chosen(blocks: Sequence[str], room: int, ranks: Sequence[int]) -> list[int]:
    """Return the numbers of the blocks that fit, in their order."""
    kept = []
    for number in sorted(range(len(blocks)), key=lambda number: (ranks[number], number)):
        room -= len(blocks[number]) + 1
        if room < 0:
            break
        kept.append(number)
    return sorted(kept)


def _more(count: int, noun: str) -> Iterable[str]:
    return [f"*{words.counted(count, noun)} left out.*", ""] if count else []

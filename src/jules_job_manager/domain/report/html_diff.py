"""The changed files of the HTML report: lines of the diff, and the findings beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from jules_job_manager.domain.finding import Level
from jules_job_manager.domain.report import words
from jules_job_manager.domain.report.diff_lines import DiffLine, LineKind
from jules_job_manager.domain.report.view import FileView, FindingView

_MARKS = {LineKind.ADDED: "+", LineKind.REMOVED: "-", LineKind.CONTEXT: " "}
_COLUMNS = '<colgroup><col class="no old"><col class="no"><col class="mark"><col></colgroup>'
_ROWS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "remark"}
_COLOURS = {Level.ERROR: "bad", Level.WARNING: "warn", Level.NOTE: "dim"}


def file_html(file: FileView) -> str:
    """Return a file that folds, with its findings first where no line of the diff carries them."""
    carried = {line.new for line in file.lines if line.new}
    apart = [finding for finding in file.findings if finding.line not in carried]
    count = f" · {words.counted(len(file.findings), 'finding')}" if file.findings else ""
    parts = [
        (
            f'<details class="file" open><summary><code>{escape(file.path)}</code>'
            f'<span class="dim">{count}</span></summary>'
        ),
        findings_html(apart),
    ]
    if file.lines:
        parts.append(f'<table class="diff">{_COLUMNS}<tbody>{"".join(_rows(file))}</tbody></table>')
    elif not file.findings:
        parts.append('<p class="dim">No lines to show.</p>')
    return "\n".join([*filter(None, parts), "</details>"])


def findings_html(findings: Iterable[FindingView]) -> str:
    """Return a list of findings, or nothing when there are none."""
    lines = [f"<li>{finding_html(finding)}</li>" for finding in findings]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def finding_html(finding: FindingView, *, with_path: bool = False) -> str:
    """Return one finding as a line of text."""
    level = finding.level
    place = ""
    if with_path and finding.path:
        place = f"<code>{escape(finding.place)}</code> "
    elif finding.line:
        place = f"line {finding.line}: "
    return (
        f'<strong class="{_COLOURS[level]}">{level.value}</strong> {place}'
        f'{escape(finding.message)} <span class="dim">({escape(finding.rule)})</span>'
    )


def _rows(file: FileView) -> Iterator[str]:
    at_line: dict[int, list[FindingView]] = {}
    for finding in file.findings:
        at_line.setdefault(finding.line, []).append(finding)
    for line in file.lines:
        yield _row(line)
        for finding in at_line.pop(line.new, ()) if line.new else ():
            yield (
                f'<tr class="finding {_ROWS[finding.level]}">'
                f'<td colspan="4">{finding_html(finding)}</td></tr>'
            )


def _row(line: DiffLine) -> str:
    mark = _MARKS.get(line.kind)
    if mark is None:
        return f'<tr class="{line.kind.value}"><td colspan="4">{escape(line.text)}</td></tr>'
    return (
        f'<tr class="{line.kind.value}"><td class="no old">{line.old or ""}</td>'
        f'<td class="no">{line.new or ""}</td><td class="mark">{mark}</td>'
        f"<td>{escape(line.text)}</td></tr>"
    )

"""A review on the terminal: a few lines by default, everything on request."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.report.diff_lines import DiffLine
    from jules_job_manager.domain.report.model import ReportInput
    from jules_job_manager.domain.report.view import (
        CheckView,
        FileView,
        FindingView,
        Limits,
        ReportView,
    )

    Piece = tuple[str, str]
    """A text that is safe already, and its style."""
    Line = list[Piece]

_VERDICT_STYLES = {"accept": "bold green", "reject": "bold red", "escalate": "bold magenta"}
_SIGN_STYLES = {"✓": "green", "✗": "bold red", "!": "yellow", "–": "dim"}
_STATE_STYLES = {"proven": "green", "refuted": "bold red", "unproven": "dim"}
_LEVEL_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}
_DIFF_STYLES = {"added": "green", "removed": "red", "hunk": "cyan", "gap": "dim", "note": "dim"}
_MARKS = {"added": "+", "removed": "-", "context": " "}


def print_report(context: Context, report: ReportInput, *, full: bool = False) -> None:
    """Print a review to stdout, coloured on a terminal and plain elsewhere.

    Args:
        context: Where to print.
        report: The review.
        full: Also what passed: all outputs, the checklist, and the diff with its findings.
    """
    from jules_job_manager.domain.report.view import view

    shown = view(report, _limits(full=full))
    lines = [*_head(shown), *_checks(shown, full=full)]
    if full:
        lines += [*_checklist(shown), *_changes(shown)]
    _print(context, lines)


def _limits(*, full: bool) -> Limits:
    from jules_job_manager.domain.report.view import Limits

    if full:
        return Limits(
            checks=200, findings=1_000, items=200, files=200, output_lines=400,
            output_characters=30_000, outputs_characters=300_000, file_lines=800, diff_lines=4_000,
        )  # fmt: skip
    return Limits(
        checks=50, findings=50, items=0, files=0, output_lines=10,
        output_characters=1_500, outputs_characters=15_000, file_lines=0, diff_lines=0,
    )  # fmt: skip


def _print(context: Context, lines: Iterable[Line]) -> None:
    if not context.is_terminal:
        for line in lines:
            context.write("".join(text for text, _ in line))
        return
    from rich.text import Text

    from jules_job_manager.cli.output import console

    screen = console(context)
    for line in lines:
        # soft_wrap: the terminal wraps, so that a path or a command can be copied whole.
        screen.print(Text.assemble(*line), soft_wrap=True)


def _head(report: ReportView) -> Iterator[Line]:
    from jules_job_manager.domain.report import words

    style = _VERDICT_STYLES.get(report.verdict.value, "bold")
    about = " ".join(filter(None, [report.job_key, report.title]))
    yield [(words.VERDICTS[report.verdict], style), (f": {about}" if about else "", "bold")]
    place = ", ".join(
        filter(None, [report.repository, report.branch and f"branch {report.branch}"])
    )
    yield [("  " + ", ".join(filter(None, [place, words.commits(report)])), "dim")]
    yield [("  " + words.summary(report), "")]


def _checks(report: ReportView, *, full: bool) -> Iterator[Line]:
    from jules_job_manager.domain.report import words

    shown = [check for check in report.checks if full or check.has_failed]
    for check in shown:
        yield _check(check)
        for finding in check.findings:
            yield [("    ", ""), *_finding(finding, finding.place)]
        yield from _more(check.findings_left_out, "finding", "    ")
        if check.command or not check.findings:  # a rule's output says its findings again
            yield from _output(check, full=full)
    hidden = len(report.checks) - len(shown)
    if hidden:
        other = " other" if shown else ""
        yield [
            (f"✓ {words.counted(hidden, f'{other} check'.strip())} did not fail (--full)", "dim")
        ]
    yield from _more(report.checks_left_out, "check", "")


def _check(check: CheckView) -> Line:
    from jules_job_manager.domain.report import words

    sign = words.sign(check)
    seconds = words.duration(check.duration_seconds)
    facts = [words.conclusion(check), seconds, "" if check.is_required else "advisory"]
    return [
        (sign, _SIGN_STYLES[sign]),
        (f" {check.name}", "bold" if check.has_failed else ""),
        ("  " + ", ".join(filter(None, facts)), "dim"),
    ]


def _finding(finding: FindingView, place: str) -> Line:
    level = finding.level.value
    return [
        (level, _LEVEL_STYLES[level]),
        (f" {place}" if place else "", "bold"),
        (f" {finding.message}", ""),
        (f" ({finding.rule})", "dim"),
    ]


def _output(check: CheckView, *, full: bool) -> Iterator[Line]:
    from jules_job_manager.domain.report import words

    if full and check.command:
        yield [(f"    $ {check.command}", "dim")]
    note = words.cut_note(check.output)
    if note:
        yield [(f"    ({note})", "dim")]
    if check.output.text:
        for line in check.output.text.split("\n"):
            yield [("    │ ", "dim"), (line, "")]


def _checklist(report: ReportView) -> Iterator[Line]:
    from jules_job_manager.domain.report import words

    if report.items:
        yield []
        yield [("Checklist", "bold")]
    for item in report.items:
        style = _STATE_STYLES[item.state.value]
        evidence = f" ({item.evidence})" if item.evidence else ""
        yield [
            (f"{words.ITEM_SIGNS[item.state]} {item.state.value:8}", style),
            (f" {item.text}", ""),
            (evidence, "dim"),
        ]
    yield from _more(report.items_left_out, "line", "")


def _changes(report: ReportView) -> Iterator[Line]:
    for file in report.files:
        yield []
        yield [(file.path, "bold underline")]
        yield from _file(file)
    yield from _more(report.files_left_out, "file", "")


def _file(file: FileView) -> Iterator[Line]:
    carried = {line.new for line in file.lines if line.new}
    for finding in file.findings:
        if finding.line not in carried:
            yield _finding(finding, f"line {finding.line}:" if finding.line else "")
    for line in file.lines:
        yield _diff_line(line)
        for finding in file.findings:
            if line.new and finding.line == line.new:
                yield [(" " * 9 + "▲ ", _LEVEL_STYLES[finding.level.value]), *_finding(finding, "")]


def _diff_line(line: DiffLine) -> Line:
    style = _DIFF_STYLES.get(line.kind.value, "")
    mark = _MARKS.get(line.kind.value)
    if mark is None:
        return [(line.text, style)]
    number = f"{line.new or '':>6} "
    return [(number, "dim"), (f"{mark} {line.text}".rstrip(), style)]


def _more(count: int, noun: str, indent: str) -> Iterator[Line]:
    from jules_job_manager.domain.report import words

    if count:
        yield [(f"{indent}{words.counted(count, noun)} left out", "dim")]

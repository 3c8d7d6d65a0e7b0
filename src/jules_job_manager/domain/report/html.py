"""A review as one page that needs nothing else: no script, no picture, no font from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from jules_job_manager.domain.report import words
from jules_job_manager.domain.report.checklist import ItemState
from jules_job_manager.domain.report.html_diff import file_html, finding_html
from jules_job_manager.domain.report.html_style import STYLE
from jules_job_manager.domain.report.model import ReportInput
from jules_job_manager.domain.report.view import CheckView, Limits, ReportView, view

LIMITS = Limits(
    checks=200, findings=500, items=200, files=200, output_lines=400,
    output_characters=30_000, outputs_characters=300_000, file_lines=800, diff_lines=4_000,
)  # fmt: skip
_SIGN_COLOURS = {"✓": "good", "✗": "bad", "!": "warn", "–": "dim"}
_ITEM_COLOURS = {ItemState.PROVEN: "good", ItemState.REFUTED: "bad", ItemState.UNPROVEN: "dim"}


def to_html(report: ReportInput) -> str:
    """Return the page."""
    shown = view(report, LIMITS)
    body = "\n".join([*_head(shown), *_checks(shown), *_checklist(shown), *_changes(shown)])
    title = f"{words.VERDICTS[shown.verdict][2:]}: {shown.title or shown.job_key}"
    return html_page(body, title=escape(title))


def html_page(body: str, *, title: str) -> str:
    """Return a page whose policy lets a browser run nothing and load nothing but its own style.

    Both texts are HTML already.
    """
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _head(report: ReportView) -> Iterator[str]:
    named = (("", report.repository), ("branch ", report.branch), ("job ", report.job_key),
             ("attempt ", report.mark))  # fmt: skip
    facts = " · ".join(f"{label}<code>{escape(v)}</code>" for label, v in named if v)
    when = words.moment(report)
    yield f'<header class="{report.verdict.value}">'
    yield f'<p class="verdict">{words.VERDICTS[report.verdict]}</p>'
    yield f"<h1>{escape(report.title or report.job_key)}</h1>"
    yield f"<p>{escape(words.summary(report))}</p>"
    yield f'<p class="dim">{facts}</p>'
    yield f'<p class="dim">{escape(words.commits(report))}{" · " + when if when else ""}</p>'
    yield "</header>"


def _checks(report: ReportView) -> Iterator[str]:
    if not report.checks:
        return
    yield '<section><h2>Checks</h2><ul class="list">'
    for check in report.checks:
        yield _check(check)
    yield f"</ul>{_more(report.checks_left_out, 'check')}</section>"


def _check(check: CheckView) -> str:
    sign = words.sign(check)
    facts = [words.kind(check), words.conclusion(check), words.duration(check.duration_seconds)]
    parts = [
        (
            f'<li><div class="row"><span class="sign {_SIGN_COLOURS[sign]}">{sign}</span>'
            f'<code class="grow">{escape(check.name)}</code>'
            f'<span class="facts dim">{escape(" · ".join(filter(None, facts)))}</span></div>'
        ),
        *_check_findings(check),
        _output(check),
    ]
    return "\n".join([*filter(None, parts), "</li>"])


def _check_findings(check: CheckView) -> Iterator[str]:
    """Yield what the check found; findings in files stand there again, beside their lines."""
    if check.findings:
        lines = [f"<li>{finding_html(f, with_path=True)}</li>" for f in check.findings]
        yield f'<ul class="in">{"".join(lines)}</ul>'
    if check.findings_left_out:
        yield f'<div class="in">{_more(check.findings_left_out, "finding")}</div>'


def _output(check: CheckView) -> str:
    command = f'<p class="in dim">Command: <code>{escape(check.command)}</code></p>'
    ran = command if check.command else ""
    note = words.cut_note(check.output)
    cut = f'<p class="dim">({escape(note)})</p>' if note else ""
    text = f"<pre>{escape(check.output.text)}</pre>" if check.output.text else ""
    if not cut and not text:
        return ran
    start = f'<details class="in"{" open" if check.has_failed else ""}>'
    return f'{ran}{start}<summary class="dim">Output</summary>{cut}{text}</details>'


def _checklist(report: ReportView) -> Iterator[str]:
    if not report.items:
        return
    yield '<section><h2>Checklist</h2><ul class="list">'
    for item in report.items:
        by = f'<br><span class="dim">{escape(item.evidence)}</span>' if item.evidence else ""
        colour = _ITEM_COLOURS[item.state]
        yield (
            f'<li class="row"><span class="sign {colour}">{words.ITEM_SIGNS[item.state]}</span>'
            f'<span class="grow">{escape(item.text)}{by}</span>'
            f'<span class="facts dim">{item.state.value}</span></li>'
        )
    yield f"</ul>{_more(report.items_left_out, 'line')}</section>"


def _changes(report: ReportView) -> Iterator[str]:
    if not report.files and not report.files_left_out:
        return
    yield "<section><h2>Changed files</h2>"
    for file in report.files:
        yield file_html(file)
    yield f"{_more(report.files_left_out, 'file')}</section>"


def _more(count: int, noun: str) -> str:
    return f'<p class="dim">{words.counted(count, noun)} left out.</p>' if count else ""

"""Reports are bounded, keep what failed, and say what they leave out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.reports import DIFF, REJECTED

from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.job import ChecklistItem
from jules_job_manager.domain.report import FileDiff, to_html, to_json, to_markdown, to_sarif
from jules_job_manager.domain.report.diff_lines import LineKind, cut_around, diff_lines
from jules_job_manager.domain.report.markdown import LONGEST
from jules_job_manager.domain.report.texts import one_line, tail
from jules_job_manager.domain.review import CheckResult, Conclusion

FAILED = CheckResult(name="the one that failed", conclusion=Conclusion.FAILURE, output="why")


def _review(*checks):
    return replace(REJECTED, review=replace(REJECTED.review, checks=checks))


@pytest.fixture(scope="module")
def huge():
    """Return every format's text of a report in which everything is too long."""
    report = _huge()
    return {form: form(report) for form in (to_markdown, to_html, to_json, to_sarif)}


def _huge():
    finding = Finding(rule="r" * 999, message="`|<&" * 999, path="p/`x`", line=3)
    findings = tuple(replace(finding, path=f"p/{number}") for number in range(50))
    check = CheckResult(
        name="`|" * 500, command="c" * 9999, conclusion=Conclusion.FAILURE,
        output="<&`\u202e\n" * 50_000, findings=findings,
    )  # fmt: skip
    items = tuple(ChecklistItem(text="`" * 999, evidence="e" * 999) for _ in range(999))
    diff = "@@ -0,0 +1,900 @@\n" + "+<&>\n" * 900
    files = tuple(FileDiff(path=f"p/{number}", diff=diff) for number in range(600))
    return replace(
        _review(*[check] * 300), title="t" * 99_999, files=files,
        job=replace(REJECTED.job, checklist=items),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("form", "most"),
    [(to_markdown, LONGEST), (to_html, 5_000_000), (to_json, 8_000_000), (to_sarif, 8_000_000)],
)
def test_a_report_is_bounded(huge, form, most):
    """However much there is, a report stays below the size of its format."""
    assert 10_000 < len(huge[form]) < most


def test_what_is_left_out_is_said(huge):
    """Every format says how many of each thing it leaves out."""
    markdown, page = huge[to_markdown], huge[to_html]
    assert "checks left out.*" in markdown
    assert "findings left out.*" in markdown
    assert "lines left out.*" in markdown
    assert "100 checks left out." in page
    assert "799 lines left out." in page
    assert "the diff is left out" in page
    assert "400 files left out." in page
    document = json.loads(huge[to_json])
    assert document["left_out"] == {
        "checks": 0, "findings": 13_000, "checklist": 499, "files": 100,
    }  # fmt: skip
    assert json.loads(huge[to_sarif])["runs"][0]["properties"]["findingsLeftOut"] == 13_000


@pytest.mark.parametrize("form", [to_markdown, to_html, to_json, to_sarif])
def test_what_failed_is_kept(form):
    """A failure that comes after many successes is shown before them."""
    passed = CheckResult(name="fine", conclusion=Conclusion.SUCCESS, output="x" * 9_999)
    assert "the one that failed" in form(_review(*[passed] * 900, FAILED))
    long = replace(passed, name="`" * 200)
    assert "the one that failed" in form(_review(*[long] * 900, FAILED))


def test_a_refuted_line_is_kept():
    """Where not all lines of a checklist fit, the refuted ones are shown."""
    items = [ChecklistItem(text="x" * 400)] * 900
    items.append(ChecklistItem(text="`the one that failed` passes"))
    report = replace(_review(FAILED), job=replace(REJECTED.job, checklist=tuple(items)))
    assert "`the one that failed` passes" in to_markdown(report)
    assert "900 unproven" in to_markdown(report)


def test_errors_are_kept_before_notes():
    """Where not all findings fit, those of the worst level are shown."""
    notes = tuple(
        Finding(rule="n", message=f"note {number}", level=Level.NOTE) for number in range(500)
    )
    check = replace(FAILED, findings=(*notes, Finding(rule="e", message="the error")))
    assert "the error" in to_markdown(_review(check))
    long = tuple(replace(note, message="`" * 400, path="p" * 200) for note in notes)
    error = Finding(rule="e", message="the error", path="z")
    assert "the error" in to_markdown(_review(replace(FAILED, findings=(*long, error))))


def test_all_failures_are_counted():
    """The sentence at the top counts what is not shown, too."""
    advisory = replace(FAILED, is_required=False)
    text = to_markdown(_review(*[FAILED] * 90, *[advisory] * 10))
    assert "100 of 100 checks failed, 10 of them only advisory." in text
    assert "40 checks left out" in text


def test_the_end_of_an_output_is_kept():
    """The last whole lines are kept, since tools say there what went wrong."""
    found = tail("one\ntwo\r\nthree\n\n", characters=100, lines=2)
    assert (found.text, found.is_cut, found.lines_left_out) == ("two\nthree", True, 1)
    found = tail("one\ntwo\nthree", characters=9, lines=9)
    assert (found.text, found.is_cut, found.lines_left_out) == ("two\nthree", True, 1)
    found = tail("x" * 50, characters=9, lines=9)
    assert (found.text, found.is_cut, found.lines_left_out) == ("x" * 9, True, 0)
    found = tail("x", characters=0, lines=0)
    assert (found.text, found.is_cut) == ("", True)
    assert tail("", characters=0, lines=0).is_cut is False


def test_secrets_are_masked_even_at_a_cut():
    """A secret that the cut would halve is masked before it is cut."""
    token = "Bearer " + "s3cr3t" * 20
    assert "s3cr3t" not in tail(f"{token} after", characters=60, lines=9).text
    assert "s3cr3t" not in one_line(f"before {token}", 40)
    assert "s3cr3t" not in to_json(_review(replace(FAILED, output=token, name=token)))


def test_a_tool_may_colour_its_output():
    """Colours are dropped, so that the words can be read; other controls are shown."""
    assert tail("\x1b[1;31mE\x1b[0m\x1b[2J", characters=99, lines=9).text == "E\\x1b[2J"


def test_lines_of_a_diff_are_numbered():
    """Each line has its number in base and merge result; headers are no lines."""
    lines = diff_lines(DIFF)
    assert [(line.kind.value, line.old, line.new) for line in lines] == [
        ("hunk", 0, 0), ("context", 8, 8), ("removed", 9, 0), ("added", 0, 9), ("added", 0, 10),
        ("context", 10, 11), ("added", 0, 12), ("context", 11, 13),
    ]  # fmt: skip


def test_lines_that_look_like_headers():
    """Inside a hunk, `---` is a removed line; after it, nothing but a hunk counts."""
    lines = diff_lines("@@ -1 +1 @@\n--- a\n+++ b\n\\ No newline at end of file\n--- c\n+d")
    assert [(line.kind.value, line.text) for line in lines] == [
        ("hunk", "@@ -1 +1 @@"), ("removed", "-- a"), ("added", "++ b"),
        ("note", "No newline at end of file"),
    ]  # fmt: skip


def test_a_diff_is_cut_around_its_findings():
    """Lines near a finding are kept first, and each gap is marked."""
    lines = diff_lines("@@ -0,0 +1,100 @@\n" + "".join(f"+{n}\n" for n in range(1, 101)))
    kept = cut_around(lines, {50}, 13)
    assert [line.text for line in kept] == [
        "@@ -0,0 +1,100 @@", "1", "… 43 lines are left out", *map(str, range(45, 56)),
        "… 45 lines are left out",
    ]  # fmt: skip
    assert [line.kind for line in cut_around(lines, {50}, 0)] == [LineKind.GAP]
    assert cut_around(lines, set(), 999) == lines

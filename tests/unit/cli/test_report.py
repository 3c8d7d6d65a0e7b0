"""A review on the terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reports import ACCEPTED, REJECTED, golden, with_text

from jules_job_manager.cli.context import Context
from jules_job_manager.cli.report import print_report
from jules_job_manager.domain.review import CheckResult, Conclusion

SGR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def _printed(report, *, full=False, stream=None):
    stream = stream or io.StringIO()
    print_report(Context(environ={}, stdout=stream), report, full=full)
    return stream.getvalue()


@pytest.fixture
def colours(monkeypatch):
    """Let rich believe in a terminal with colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("name", "report"), [("accepted", ACCEPTED), ("rejected", REJECTED)])
def test_the_text_of_a_report(name, report, full):
    """What is printed is the text that was read and kept."""
    text = _printed(report, full=full)
    assert golden(f"{name}-{'full' if full else 'compact'}.txt", text) == text


def test_no_colour_when_piped(monkeypatch):
    """A pipe gets the words alone, even when colours are forced on."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in _printed(REJECTED, full=True)


@pytest.mark.usefixtures("colours")
def test_a_terminal_gets_the_same_words_in_colour():
    """Colour is all that a terminal adds: no line is broken by us."""
    text = _printed(REJECTED, full=True, stream=Terminal())
    assert "\x1b[1;31m✗ Rejected" in text
    plain = [line.rstrip() for line in SGR.sub("", text).splitlines()]
    assert plain == [line.rstrip() for line in _printed(REJECTED, full=True).splitlines()]


def test_only_failures_are_explained_in_the_compact_form():
    """What passed is counted; a check that failed brings its last lines of output."""
    output = "\n".join(f"line {number}" for number in range(40))
    failed = CheckResult(name="a", conclusion=Conclusion.FAILURE, output=output)
    passed = CheckResult(name="b", conclusion=Conclusion.SUCCESS, output=output)
    report = replace(REJECTED, review=replace(REJECTED.review, checks=(failed, passed)))
    lines = _printed(report).splitlines()[3:]
    assert lines == [
        "✗ a  failure",
        "    (30 lines before this left out)",
        *(f"    │ line {number}" for number in range(30, 40)),
        "✓ 1 other check did not fail (--full)",
    ]


@settings(max_examples=40)
@given(st.text(st.characters() | st.sampled_from("\x1b\x9b\x07\u202e[]/m\n"), max_size=40))
@pytest.mark.usefixtures("colours")
def test_no_text_acts_on_the_terminal(text):
    """Whatever the text in every member, only our own colours reach the terminal."""
    for stream in (Terminal(), io.StringIO()):
        shown = SGR.sub("", _printed(with_text(REJECTED, text), full=True, stream=stream))
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@pytest.mark.usefixtures("colours")
def test_markup_of_rich_is_text():
    """Square brackets and emoji codes are printed as they are."""
    report = replace(REJECTED, title="[red]x[/red] :smile:")
    assert "[red]x[/red] :smile:" in _printed(report, stream=Terminal())


def test_a_megabyte_of_output_is_a_few_lines():
    """The compact form stays short, whatever a check printed."""
    text = _printed(with_text(REJECTED, "x\n" * 500_000))
    assert len(text) < 20_000

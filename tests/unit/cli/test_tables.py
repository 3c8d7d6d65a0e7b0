"""Tables on a terminal: what may be cut, and what may not."""

from __future__ import annotations

import io

import pytest

from jules_job_manager.cli import output
from jules_job_manager.cli.context import Context


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def printed():
    """Return a function that prints a table on a terminal of some width and returns its lines."""

    def show(columns, headers, row):
        stream = Terminal()
        context = Context(environ={}, stdout=stream)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", str(columns))
            patch.setenv("NO_COLOR", "1")
            patch.setenv("TERM", "dumb")
            output.print_table(context, headers, [row])
        return [line.rstrip() for line in stream.getvalue().splitlines() if line.strip()][2:]

    return show


def test_a_task_is_one_line_and_its_title_gives_way(printed):
    """On a narrow terminal id, status and time stay whole; the title is cut, never broken."""
    headers = ("ID", "TITLE", "REPOSITORY", "STATUS", "UPDATED")
    row = ("84999984", "Add a health endpoint with tests", "octo/demo", "waiting_approval",
           "2026-11-24 23:11")  # fmt: skip
    (line,) = printed(70, headers, row)
    for whole in (row[0], row[3], row[4]):
        assert whole in line
    assert "…" in line


def test_values_and_reasons_go_on_in_the_next_line(printed):
    """What a person copies is whole, however narrow the terminal is."""
    why = "its plan waits: jjm approve 7915049806307925030"
    lines = printed(40, ("KEY", "WHY"), ("Task 4", why))
    assert why == " ".join(" ".join(lines).replace("Task 4", "").split())

"""The table of what commands do through a service names every command, and is right about where."""

from __future__ import annotations

import re
from pathlib import Path

from jules_job_manager.cli import table

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "server-commands.md"
ROW = re.compile(r"^\| `([a-z -]+)` \| (service|here) \| .+ \|$", re.MULTILINE)


def test_every_command_is_in_the_table_once():
    """A new command cannot be forgotten there."""
    rows = ROW.findall(DOCUMENT.read_text("utf-8"))
    assert [name for name, _, _ in table.every_command()] == [name for name, _ in rows]


def test_what_works_here_is_what_refuses_the_option():
    """The table and the program agree."""
    rows = dict(ROW.findall(DOCUMENT.read_text("utf-8")))
    assert set(table.WORKS_HERE) == {name for name, where in rows.items() if where == "here"}

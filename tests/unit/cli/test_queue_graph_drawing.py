"""Drawings of the queue."""

from __future__ import annotations

import io
from argparse import Namespace
from collections.abc import Sequence

import pytest

from jules_job_manager.cli.commands import queue_graph
from jules_job_manager.cli.context import Context
from jules_job_manager.domain.job import Job, JobStatus

JOBS = [
    Job(key="Task 1", title='Say "hi" <b>', status=JobStatus.DONE),
    Job(key="Task 2", title="Esc \x1b[31m", status=JobStatus.READY, depends_on=("Task 1",)),
]


def drawn(monkeypatch: pytest.MonkeyPatch, form: str) -> str:
    def stored(context: Context, **_: object) -> Sequence[Job]:
        return JOBS

    monkeypatch.setattr("jules_job_manager.cli.queue_jobs.read_jobs", stored)
    out = io.StringIO()
    assert queue_graph.run(Namespace(format=form, jq=None), Context(environ={}, stdout=out)) == 0
    return out.getvalue()


def test_text_puts_each_job_below_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps in order, with the arrow, and no terminal control gets through."""
    assert [
        "Step 1", '  Task 1  [done]  Say "hi" <b>', "Step 2",
        "  Task 2  [ready]  Esc \\x1b[31m  ← Task 1",
    ] == drawn(monkeypatch, "text").splitlines()  # fmt: skip


def test_mermaid_quotes_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes and tags of a title cannot end the node's text."""
    assert [
        "graph TD",
        '  j0["Task 1: Say #34;hi#34; #60;b#62;<br/>done"]',
        '  j1["Task 2: Esc #92;x1b#91;31m<br/>ready"]',
        "  j0 --> j1",
    ] == drawn(monkeypatch, "mermaid").splitlines()


def test_dot_quotes_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes are escaped in node texts."""
    text = drawn(monkeypatch, "dot")
    assert '"Task 1" [label="Task 1: Say \\"hi\\" <b> [done]"];' in text
    assert '"Task 1" -> "Task 2";' in text


def test_json_has_nodes_edges_and_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs get the graph as data."""
    text = drawn(monkeypatch, "json")
    assert '"edges": [{"from": "Task 1", "to": "Task 2"}]' in text
    assert '"layers": [["Task 1"], ["Task 2"]]' in text


def test_a_long_title_gives_way_on_a_terminal() -> None:
    """Key, status and what it waits for stay whole; the title is cut to what is left of the line."""
    jobs = [JOBS[0], Job(key="Task 2", title="long " * 40, depends_on=("Task 1",))]
    line = list(queue_graph._as_text(jobs, 60))[-1]
    assert line.startswith("  Task 2  [draft]  long long")
    assert line.endswith("…  ← Task 1")
    assert 60 == len(line)
    assert "long " * 40 in list(queue_graph._as_text(jobs))[-1]


def test_mermaid_takes_no_code_from_a_title(monkeypatch: pytest.MonkeyPatch) -> None:
    """`#35;` in a title is text, not the character it would stand for."""
    monkeypatch.setattr(
        f"{__name__}.JOBS", [Job(key="Task 1", title="Issue #35; done")], raising=True
    )
    assert "Issue #35;35#59; done" in drawn(monkeypatch, "mermaid")

"""What the live board shows, drawn without a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from jules_job_manager.cli.board import Board
from jules_job_manager.cli.plan_desk import KeyDesk
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.orchestration import Snapshot
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.quota import AccountUse, Limits
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.services.plan_desk import PlanQuestion
from jules_job_manager.services.queue_state import Progress

NOW = datetime.now(UTC)
JOBS = (
    Job(key="Task 1", title="One", status=JobStatus.DONE, merge_commit="0123456789",
        started_at=NOW - timedelta(minutes=5), finished_at=NOW),
    Job(key="Task 2", title="Two", status=JobStatus.RUNNING, task_id="7",
        started_at=NOW - timedelta(minutes=3)),
    Job(key="Task 3", title="Three\x1b[31m", status=JobStatus.NEEDS_YOU, reason="its plan \x1b[2J waits"),
    Job(key="Task 4", title="Four", status=JobStatus.DRAFT, reason="it has no prompt yet"),
)  # fmt: skip
FULL = AccountUse(
    limits=Limits(per_day=15, at_once=3), starts=(NOW - timedelta(hours=23),) * 15, at_work=1
)
SNAPSHOT = Snapshot(
    jobs=JOBS,
    attempts=(Attempt(mark="m", job_key="Task 2", number=1, state=AttemptState.LIVE, task_id="7"),),
    tasks={"7": JulesTask(id="7", status=TaskStatus.IN_PROGRESS)},
    accounts={"default": FULL},
)
QUESTION = PlanQuestion(
    job=JOBS[2], task_id="9", reason="its plan waits", rule="queue.approve = ask",
    plan=Plan(id="p", steps=(PlanStep(title="Read \x1b[2J it"), PlanStep(title="[bold]Write[/]"))),
)  # fmt: skip


def _drawn(snapshot=SNAPSHOT, *, width=80, height=24, desk=None):
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True,
                      color_system=None, markup=False, emoji=False, highlight=False)  # fmt: skip
    board = Board(console, 3, desk)
    board.show(snapshot)
    console.print(board.drawing(NOW))
    text = console.file.getvalue()
    assert "\x1b" not in text
    return text.splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 10), (20, 5)])
def test_it_fits_the_window(width, height):
    """No line is wider than the terminal, whatever its size, and nothing escapes."""
    many = tuple(Job(key=f"JJM-{n:03}", title="x" * 200, status=JobStatus.READY) for n in range(62))
    lines = _drawn(Snapshot(jobs=many), width=width, height=height)
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(9, height)


def test_it_says_how_things_stand():
    """What needs a person comes first; each job has its status, its times and its reason."""
    lines = _drawn()
    heading = next(line for line in lines if "of 4 done" in line)
    assert heading.startswith(
        "1 of 4 done · 1 of 3 slots · 1 needs you · 15 of 15 today, next slot"
    )
    rows = [line.split() for line in lines if line.startswith("Task")]
    assert ["3", "2", "1", "4"] == [row[1] for row in rows]
    text = "\n".join(lines)
    assert "Two (Jules: in progress)" in text
    assert "One (merged as 01234567)" in text
    assert "Four: it has no prompt yet" in text
    assert "3 min" in text
    assert "5 min" in text
    assert "Ctrl-C stops safely" in text


def test_more_jobs_than_lines_are_counted():
    """The queue of the tickets does not push the rest off the screen."""
    many = tuple(Job(key=f"J-{n}", status=JobStatus.BLOCKED) for n in range(62))
    assert any(line == "… and 47 more: 47 blocked" for line in _drawn(Snapshot(jobs=many)))


def test_a_plan_is_shown_as_text_with_its_keys():
    """Escapes and markup of a plan do nothing; the keys stand below."""
    desk = KeyDesk()
    desk.ask(QUESTION)
    text = "\n".join(_drawn(desk=desk))
    assert "Task 3: may Jules do this?" in text
    assert r"1. Read \x1b[2J it" in text
    assert "2. [bold]Write[/]" in text
    assert "y approve   n decline   s decide later: jjm plan 9" in text


def test_the_keys_of_a_long_plan_stay_on_the_screen():
    """A plan longer than the window is cut, never the line that says what to press."""
    desk = KeyDesk()
    steps = tuple(PlanStep(title=f"step {n}") for n in range(60))
    desk.ask(replace(QUESTION, plan=Plan(id="p", steps=steps)))
    lines = _drawn(desk=desk)
    assert len(lines) <= 24
    assert any("more steps" in line for line in lines)
    assert "y approve" in lines[-2]


def test_news_scroll_by_above():
    """What happened is printed once, made safe, and gives the job its age of news."""
    console = Console(file=io.StringIO(), width=80, height=24, markup=False)
    with Board(console, 3, None) as board:
        board.show(SNAPSHOT)
        board.report(Progress(at=NOW, job_key="Task 2", text="plan \x1b[2J approved"))
    assert r"Task 2    plan \x1b[2J approved" in console.file.getvalue()


async def test_keys_answer_the_first_open_question():
    """y, n and s decide; other keys do nothing; a plan is asked about once."""
    desk = KeyDesk()
    desk.press("y")
    assert not desk.is_asking()
    desk.ask(QUESTION)
    desk.ask(QUESTION)
    desk.press("x")
    assert desk.current is QUESTION
    desk.press("N")
    await desk.wait_answer()
    assert desk.is_asking()
    assert ["decline"] == [given.answer for given in desk.take_answers()]
    assert not desk.is_asking()
    desk.ask(QUESTION)
    assert desk.current is None

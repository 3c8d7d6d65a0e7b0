"""The live board of `jjm queue run`: what happened scrolls by above, how things stand stays below."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from jules_job_manager.cli.output import STATUS_STYLES, age
from jules_job_manager.cli.plan_desk import KeyDesk
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.orchestration import Snapshot, slots_used
from jules_job_manager.domain.quota import FAR
from jules_job_manager.domain.text import safe_text, shorten
from jules_job_manager.services.plan_desk import PlanQuestion
from jules_job_manager.services.queue_state import Progress

_ORDER = (
    JobStatus.NEEDS_YOU, JobStatus.MERGING, JobStatus.REVIEWING, JobStatus.RUNNING,
    JobStatus.STARTING, JobStatus.FAILED, JobStatus.READY, JobStatus.BLOCKED, JobStatus.DONE,
    JobStatus.CANCELLED, JobStatus.DRAFT,
)  # fmt: skip
STOPS_SAFELY = "Ctrl-C stops safely; `jjm queue run` goes on from there."
_AT_WORK = frozenset(status for status in JobStatus if status.holds_slot)


class Board:
    """Redraws itself four times a second and after a change of the window's size."""

    def __init__(
        self, console: Console, slots: int, desk: KeyDesk | None, *, foot: str = STOPS_SAFELY
    ) -> None:
        """Draw on `console`; `slots` is the most tasks at once, `foot` the last line."""
        self._foot = foot
        self.desk = desk
        self._console = console
        self._slots = slots
        self._began = datetime.now(UTC)
        self._snapshot = Snapshot(jobs=())
        self._lines: deque[Table] = deque(maxlen=100)
        self._moved: dict[str, datetime] = {}
        """When something new was last seen of a job."""
        self._live = Live(
            console=console, get_renderable=self.drawing, refresh_per_second=4, transient=True,
            redirect_stdout=False, redirect_stderr=False, vertical_overflow="ellipsis",
        )  # fmt: skip

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            # Not on Windows, nor without a running loop in the main thread.
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._resized)
        return self

    def _resized(self) -> None:
        """Draw everything anew: the terminal has wrapped the old lines in its own way."""
        self._live.stop()
        self._console.clear()
        for line in list(self._lines)[-max(1, self._console.height // 2) :]:
            self._console.print(line)
        self._live.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the board away; the cursor is shown again."""
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGWINCH)
        self._live.stop()

    def report(self, progress: Progress) -> None:
        """Print what happened above the board."""
        self._moved[progress.job_key] = datetime.now(UTC)
        line = Table.grid(padding=(0, 2))
        line.add_column(no_wrap=True)
        line.add_column(no_wrap=True, min_width=8)
        line.add_column(ratio=1)
        line.add_row(
            Text(progress.at.astimezone().strftime("%H:%M:%S"), style="dim"),
            Text(shorten(progress.job_key or "queue", 16), style="bold"),
            Text(safe_text(progress.text)),
        )
        self._lines.append(line)
        self._live.console.print(line)

    def show(self, snapshot: Snapshot) -> None:
        """Take over how things stand."""
        before, self._snapshot = self._snapshot, snapshot
        for job in snapshot.jobs:
            if job.task_id and snapshot.tasks.get(job.task_id) != before.tasks.get(job.task_id):
                self._moved[job.key] = datetime.now(UTC)

    def drawing(self, now: datetime | None = None) -> RenderableType:
        """Return the board as it is at `now` (aware UTC; the present when None)."""
        now = now or datetime.now(UTC)
        jobs = sorted(self._snapshot.jobs, key=lambda job: _ORDER.index(job.status))
        question = None if self.desk is None else self.desk.current
        parts: list[RenderableType] = [Text(""), self._heading(jobs, now)]
        room = max(3, self._console.height - 9)
        if question is not None:
            steps = max(1, min(len(question.plan.steps), self._console.height - 13))
            asked = self._question(question, steps)
            room = max(3, room - steps - 3)
        shown, left = jobs[:room], jobs[room:]
        parts.append(self._table(shown, now))
        if left:
            counts = Counter(job.status.value for job in left)
            said = ", ".join(f"{count} {name}" for name, count in counts.items())
            parts.append(_line(f"… and {len(left)} more: {said}"))
        if question is not None:
            parts.append(asked)
        else:
            parts.append(_line(self._foot))
        return Group(*parts)

    def _heading(self, jobs: Sequence[Job], now: datetime) -> Text:
        done = sum(job.status is JobStatus.DONE for job in jobs)
        waiting = sum(job.status is JobStatus.NEEDS_YOU for job in jobs)
        text = Text(f"{done} of {len(jobs)} done", style="bold", no_wrap=True, overflow="ellipsis")
        text.append(f" · {self._slots_text()}", style="not bold")
        if waiting:
            text.append(f" · {waiting} need{'s' * (waiting == 1)} you", style="bold magenta")
        if self._snapshot.paused:
            text.append(" · paused", style="bold yellow")
        for said in self._quota_texts(now):
            text.append(f" · {said}", style="not bold")
        text.append(f" · running for {age((now - self._began).total_seconds())}", style="not bold")
        return text

    def _slots_text(self) -> str:
        used = slots_used(self._snapshot)
        allowed = [use.limits.at_once for use in self._snapshot.accounts.values()]
        most = self._slots or (
            sum(n for n in allowed if n is not None) if None not in allowed else 0
        )
        return f"{used} of {most} slots" if most else f"{used} slots"

    def _quota_texts(self, now: datetime) -> list[str]:
        """Say what is left of each account's day, and when the next task may start."""
        said = []
        for name, use in self._snapshot.accounts.items():
            if use.limits.per_day is None:
                continue
            text = "" if name == "default" else f"{name}: "
            text += f"{use.used(now)} of {use.limits.per_day} today"
            slot = use.next_day_slot(now)
            if slot is not None and slot != FAR:
                text += f", next slot {slot.astimezone().strftime('%H:%M')}"
            said.append(text)
        return said

    def _table(self, jobs: Sequence[Job], now: datetime) -> Table:
        table = Table(
            box=None, pad_edge=False, expand=True, header_style="dim", padding=(0, 2, 0, 0)
        )
        table.add_column("JOB", no_wrap=True, max_width=14)
        table.add_column("STATUS", no_wrap=True, min_width=9)
        table.add_column("TIME", no_wrap=True, justify="right", min_width=6)
        table.add_column("NEWS", no_wrap=True, justify="right", min_width=6)
        table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
        for job in jobs:
            table.add_row(
                Text(safe_text(job.key), overflow="ellipsis"),
                Text(job.status.value, style=STATUS_STYLES.get(job.status.value, "")),
                self._elapsed(job, now),
                self._age_of_news(job, now),
                Text(shorten(self._words(job), 400), overflow="ellipsis"),
            )
        return table

    def _words(self, job: Job) -> str:
        if job.reason:
            return f"{job.title}: {job.reason}" if job.status is JobStatus.DRAFT else job.reason
        if job.status is JobStatus.DONE and job.merge_commit:
            return f"{job.title} (merged as {job.merge_commit[:8]})"
        task = self._snapshot.tasks.get(job.task_id) if job.status is JobStatus.RUNNING else None
        said = "" if task is None else f" (Jules: {task.status.value.replace('_', ' ')})"
        return job.title + said

    @staticmethod
    def _elapsed(job: Job, now: datetime) -> str:
        if job.started_at is None:
            return ""
        return age(((job.finished_at or now) - job.started_at).total_seconds())

    def _age_of_news(self, job: Job, now: datetime) -> str:
        moved = self._moved.get(job.key)
        if moved is None or job.status not in _AT_WORK:
            return ""
        return age((now - moved).total_seconds())

    def _question(self, question: PlanQuestion, most: int) -> Panel:
        lines = Text(no_wrap=True, overflow="ellipsis")
        for number, step in enumerate(question.plan.steps[:most], start=1):
            lines.append(f"{number}. {shorten(step.title, 400)}\n")
        if len(question.plan.steps) > most:
            lines.append(f"… and {len(question.plan.steps) - most} more steps\n", style="dim")
        lines.append("y", style="bold green")
        lines.append(" approve   ")
        lines.append("n", style="bold red")
        lines.append(" decline   ")
        lines.append("s", style="bold")
        lines.append(f" decide later: jjm plan {question.task_id}")
        title = Text(f" {shorten(question.job.key, 20)}: may Jules do this? ")
        return Panel(lines, title=title, title_align="left", border_style="magenta")


def _line(text: str) -> Text:
    return Text(text, style="dim", no_wrap=True, overflow="ellipsis")

"""Watch a task until it is finished, or has the status asked for.

Exit code 0: it got there. 1: it failed or was cancelled. 8: watching was stopped before.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import AsyncIterator
    from datetime import datetime

    from rich.panel import Panel

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.task import TaskStatus
    from jules_job_manager.services.monitoring import Look

STATUSES = (
    "pending", "in_progress", "waiting_approval", "waiting_feedback", "paused", "completed", "failed",
    "cancelled",
)  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import seconds

    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "--interval", type=seconds, metavar="SECONDS", help="time between two looks (30)"
    )
    parser.add_argument("--until", choices=STATUSES, help="stop at this status (default: finished)")


def run(args: Namespace, context: Context) -> int:
    """Watch the task."""
    from jules_job_manager.cli.exit_codes import FAILED, OK, PENDING
    from jules_job_manager.domain.task import TaskStatus

    interval = args.interval
    if interval is None:
        interval = context.settings().monitoring.default_interval
    until = TaskStatus(args.until) if args.until else None
    seen: list[Look] = []
    try:
        context.run(lambda app: _watch(app, context, args.task, interval, until, seen))
    except KeyboardInterrupt:
        context.note("Monitoring stopped")
        _say_final(context, seen)
        return PENDING
    _say_final(context, seen)
    last = seen[-1].task if seen else None
    if last is None or (until is not None and last.status is not until):
        context.note(f"It ended without being seen as {args.until}.")
        return FAILED
    ended_badly = last.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}
    return FAILED if until is None and ended_badly else OK


async def _watch(
    app: App,
    context: Context,
    reference: str,
    interval: float,
    until: TaskStatus | None,
    seen: list[Look],
) -> None:
    from jules_job_manager.services.monitoring import watch

    start = app.clock.now()
    observer = await app.observer_of(reference)
    async with app.news_of(reference) as wait:
        looks = watch(
            observer, app.clock, reference, interval_seconds=interval, until=until, wait=wait
        )
        await _show(context, looks, start, interval, seen)


async def _show(
    context: Context,
    looks: AsyncIterator[Look],
    start: datetime,
    interval: float,
    seen: list[Look],
) -> None:
    """Tell of each look, and keep it in `seen`."""
    if not context.is_terminal:
        async for look in looks:
            if not seen or _line(seen[-1])[1:] != _line(look)[1:]:
                context.write("\t".join(_line(look)))
                context.stdout.flush()
            seen.append(look)
        return
    from rich.live import Live

    from jules_job_manager.cli.output import console

    out = console(context)
    with Live(console=out, auto_refresh=False) as live:
        async for look in looks:
            seen.append(look)
            # 3 columns are left free: the "^C" that a terminal shows would else begin a new line
            # below the panel, and a panel's head would be left behind.
            live.update(_panel(look, start, interval, out.width - 3), refresh=True)


def _line(look: Look) -> tuple[str, ...]:
    from jules_job_manager.domain.text import safe_text, shorten

    stamp = look.at.astimezone().strftime("%H:%M:%S")
    if look.failure is not None:
        return (stamp, "last look failed", safe_text(look.failure))
    task = look.task
    assert task is not None
    message = shorten(task.chat_history[-1].content, 100) if task.chat_history else ""
    return (stamp, task.status.value, _count(len(task.source_files)), message)


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"


def _panel(look: Look, start: datetime, interval: float, width: int) -> Panel:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from jules_job_manager.cli.output import STATUS_STYLES, age, local_time
    from jules_job_manager.domain.text import safe_text, shorten

    grid = Table.grid(padding=(0, 2))
    task = look.task
    if task is not None:
        style = STATUS_STYLES.get(task.status.value, "")
        grid.add_row(Text("Status", style="bold"), Text(task.status.value, style=style))
        grid.add_row(Text("Updated", style="bold"), Text(local_time(task.updated_at)))
        grid.add_row(Text("Source files", style="bold"), Text(str(len(task.source_files))))
        if task.chat_history:
            last = shorten(task.chat_history[-1].content, 90)
            grid.add_row(Text("Last message", style="bold"), Text(last))
    grid.add_row(Text("Watched for", style="bold"), Text(age((look.at - start).total_seconds())))
    if look.failure is not None:
        grid.add_row(Text("Last look failed", style="bold red"), Text(safe_text(look.failure)))
    title = safe_text(task.title or task.id) if task is not None else "…"
    foot = Text(f"every {interval:g} s, Ctrl-C stops watching")
    return Panel(
        grid, title=Text(title), title_align="left", subtitle=foot, subtitle_align="left",
        width=max(width, 20),
    )  # fmt: skip


def _say_final(context: Context, seen: list[Look]) -> None:
    task = seen[-1].task if seen else None
    if task is not None:
        context.note(f"Task {task.id} is {task.status.value}.")

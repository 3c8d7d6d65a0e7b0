"""Show what happened in a task, oldest first."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from rich.table import Table

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.activity import Activity

FIELDS = (
    "id", "task_id", "kind", "created_at", "originator", "description", "message", "plan", "plan_id",
    "artifacts", "raw",
)  # fmt: skip
WIDTHS = (16, 6, 17)
"""Of a time to the minute, `system`, and `session_completed`."""
ORIGINATOR_STYLES = {"agent": "cyan", "user": "green"}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import seconds
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "--follow", "-F", action="store_true", help="go on until the task is finished"
    )
    parser.add_argument(
        "--interval", type=seconds, metavar="SECONDS", help="time between two looks (30)"
    )
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the activities."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.exit_codes import PENDING
    from jules_job_manager.errors import InvalidInputError

    fields = output.json_fields(args, FIELDS)
    if fields is not None:
        if args.follow:
            raise InvalidInputError("--json and --follow do not go together.")
        found = context.run(lambda app: app.tasks.activities(args.task))
        output.print_json(context, [output.pick(a.to_dict(), fields) for a in found], args.jq)
        return 0
    if not args.follow:
        for activity in context.run(lambda app: app.tasks.activities(args.task)):
            _print(context, activity)
        return 0
    interval = (
        context.settings().monitoring.default_interval if args.interval is None else args.interval
    )
    try:
        context.run(lambda app: _follow(app, context, args.task, interval))
    except KeyboardInterrupt:
        context.note("Stopped following.")
        return PENDING
    return 0


async def _follow(app: App, context: Context, reference: str, interval: float) -> None:
    from jules_job_manager.errors import ServiceUnreachableError
    from jules_job_manager.services.monitoring import watch

    shown: set[str] = set()
    observer = await app.observer_of(reference)
    async with app.news_of(reference) as wait:
        looks = watch(observer, app.clock, reference, interval_seconds=interval, wait=wait)
        async for look in looks:
            if look.failure is not None:
                context.note(f"last look failed: {look.failure}")
                continue
            assert look.task is not None
            try:
                found = await app.store.tasks.list_activities(look.task.id)
            except ServiceUnreachableError as exc:
                if look.is_last:
                    raise
                context.note(f"last look failed: {exc}")
                continue
            for activity in found:
                if activity.id not in shown:
                    shown.add(activity.id)
                    _print(context, activity)
            context.stdout.flush()


def _print(context: Context, activity: Activity) -> None:
    """Print one activity: on a terminal in columns with long texts under themselves, else a line."""
    from jules_job_manager.cli.output import console, local_time
    from jules_job_manager.domain.text import safe_text

    words = activity.message or activity.description
    if activity.plan is not None:
        words = f"{len(activity.plan.steps)} steps: " + "; ".join(
            s.title for s in activity.plan.steps
        )
    cells = (
        local_time(activity.created_at), safe_text(activity.originator or "-"), activity.kind.value,
        safe_text(words.strip()),
    )  # fmt: skip
    if context.is_terminal:
        console(context).print(_row(cells))
    else:
        context.write("\t".join(cells))


def _row(cells: tuple[str, str, str, str]) -> Table:
    """Return the cells as one row whose columns are as wide as those of every other row."""
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 2))
    for width in WIDTHS:
        row.add_column(width=width, no_wrap=True)
    row.add_column(overflow="fold")
    styles = ("dim", ORIGINATOR_STYLES.get(cells[1], ""), "", "")
    row.add_row(*(Text(cell, style=style) for cell, style in zip(cells, styles, strict=True)))
    return row

"""Archive a task, or bring it back. Archiving a running task pauses it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument("--undo", action="store_true", help="bring the task back")
    parser.add_argument("--dry-run", action="store_true", help="change nothing")


def run(args: Namespace, context: Context) -> int:
    """Archive the task."""
    verb = "brought back" if args.undo else "archived"
    if args.dry_run:
        task_id = context.run(lambda app: app.tasks.get_task(args.task)).id
        context.note(f"Task {task_id} would be {verb}.")
        return 0
    task_id = context.run(lambda app: app.tasks.set_archived(args.task, archived=not args.undo))
    context.write(f"Task {task_id} {verb}")
    return 0

"""Delete a task at Jules and in the store, for good. Its branch on the forge stays."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

SHORTEST_PREFIX = 6


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="delete nothing")


def run(args: Namespace, context: Context) -> int:
    """Delete the task."""
    from jules_job_manager.cli.exit_codes import CANCELLED
    from jules_job_manager.cli.input import confirm
    from jules_job_manager.errors import InvalidInputError

    task_id = context.run(lambda app: app.tasks.resolve(args.task))
    if task_id.startswith(args.task) and len(args.task) < min(SHORTEST_PREFIX, len(task_id)):
        raise InvalidInputError(
            f"{args.task!r} is too short for something that cannot be undone.",
            hint=f"Give {SHORTEST_PREFIX} characters of the id or more; `jjm list` shows it.",
        )
    if args.dry_run:
        context.run(lambda app: app.tasks.get_task(task_id))
        context.note(f"Would delete task {task_id}.")
        return 0
    if not args.yes:
        if not context.is_interactive:
            raise InvalidInputError("Deleting cannot be undone.", hint="Say so with --yes.")
        if not confirm(context, f"Delete task {task_id} for good?"):
            context.note("Not deleted.")
            return CANCELLED
    context.run(lambda app: app.tasks.delete_task(task_id))
    context.write(f"Task {task_id} deleted")
    return 0

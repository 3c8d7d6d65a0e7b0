"""Make a paused task go on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument("--dry-run", action="store_true", help="resume nothing")


def run(args: Namespace, context: Context) -> int:
    """Resume the task."""
    from jules_job_manager.cli.output import progress
    from jules_job_manager.domain.task import TaskStatus
    from jules_job_manager.services.tasks import not_paused

    if args.dry_run:
        task = context.run(lambda app: app.tasks.get_task(args.task))
        if task.status is not TaskStatus.PAUSED:
            raise not_paused(task)
        context.note(f"Would resume task {task.id} ({task.status.value}).")
        return 0
    with progress(context, "Resuming …"):
        task = context.run(lambda app: app.tasks.resume_task(args.task))
    context.write(f"Task {task.id} resumed")
    context.note(f"Track its progress with: jjm monitor {task.id}")
    return 0

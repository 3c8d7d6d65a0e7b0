"""Approve a task's plan.

On a terminal the plan is shown and asked about first, and what is approved is what was shown;
with --yes, or in a script, it is approved at once.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument("--yes", "-y", action="store_true", help="do not show and ask first")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, approve nothing")


def run(args: Namespace, context: Context) -> int:
    """Approve the plan."""
    from jules_job_manager.cli.commands.plan import print_plan
    from jules_job_manager.cli.exit_codes import CANCELLED
    from jules_job_manager.cli.input import confirm
    from jules_job_manager.cli.output import progress

    expected: str | None = None
    if args.dry_run or (context.is_interactive and not args.yes):
        task = context.run(lambda app: app.tasks.get_task(args.task))
        if task.plan is not None:
            print_plan(context, task.plan)
            expected = task.plan.fingerprint
        if args.dry_run:
            context.note(f"Would approve the plan of task {task.id} ({task.status.value}).")
            return 0
        if task.plan is not None and not confirm(context, "Approve this plan?"):
            context.note("Not approved.")
            return CANCELLED
    with progress(context, "Approving …"):
        task = context.run(lambda app: app.tasks.approve_plan(args.task, expected_plan=expected))
    context.write(f"Plan approved for task {task.id}")
    context.note(f"Track its progress with: jjm monitor {task.id}")
    return 0

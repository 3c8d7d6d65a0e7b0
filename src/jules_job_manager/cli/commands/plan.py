"""Show a task's plan; the latest counts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.plan import Plan

FIELDS = ("id", "steps", "created_at")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument("--all", action="store_true", help="show earlier plans too")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the plan."""
    from jules_job_manager.cli import output
    from jules_job_manager.errors import OperationFailedError

    fields = output.json_fields(args, FIELDS)
    plans = list(context.run(lambda app: app.tasks.plans(args.task)))
    if not plans:
        raise OperationFailedError(f"Task {args.task} has no plan yet.")
    shown = plans if args.all else plans[-1:]
    if fields is not None:
        values = [output.pick(plan.to_dict(), fields) for plan in shown]
        output.print_json(context, values if args.all else values[0], args.jq)
        return 0
    for plan in shown:
        print_plan(context, plan)
    return 0


def print_plan(context: Context, plan: Plan) -> None:
    """Print the steps, numbered from 1."""
    from jules_job_manager.domain.text import safe_text

    for number, step in enumerate(plan.steps, start=1):
        context.write(f"{number:3}. {safe_text(step.title)}")
        for line in step.description.splitlines():
            context.write(f"     {safe_text(line)}")

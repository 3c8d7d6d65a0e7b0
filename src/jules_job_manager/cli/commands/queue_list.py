"""List the jobs of the queue, by document and place in it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

STATUSES = (
    "draft", "blocked", "ready", "starting", "running", "needs_you", "reviewing", "merging", "done",
    "failed", "cancelled",
)  # fmt: skip
HEADERS = ("KEY", "PRIORITY", "STATUS", "TITLE", "WHY")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options
    from jules_job_manager.cli.queue_jobs import FIELDS

    parser.add_argument("--status", choices=STATUSES, help="only jobs of this status")
    parser.add_argument("--limit", type=int, metavar="N", help="most jobs shown (all)")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the jobs."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import FIELDS, NO_JOBS, read_jobs, why
    from jules_job_manager.errors import InvalidInputError

    fields = output.json_fields(args, FIELDS)
    if args.limit is not None and args.limit < 1:
        raise InvalidInputError("--limit must be 1 or more.")
    jobs = read_jobs(context, status=args.status, limit=args.limit)
    if fields is not None:
        output.print_json(context, [output.pick(job.to_dict(), fields) for job in jobs], args.jq)
    elif not jobs:
        context.note(f"No job is {args.status}." if args.status else NO_JOBS)
    else:
        rows = [(j.key, j.priority.value, j.status.value, j.title, why(j)) for j in jobs]
        output.print_table(context, HEADERS, rows, status_column=2)
    return 0

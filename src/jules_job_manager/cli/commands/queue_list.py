"""List the jobs of the queue, by document and place in it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any

    from jules_job_manager.adapters.storage.instant import InstantStore
    from jules_job_manager.cli.context import Context

STATUSES = (
    "draft", "blocked", "ready", "starting", "running", "needs_you", "reviewing", "merging", "done",
    "failed", "cancelled",
)  # fmt: skip
HEADERS = ("KEY", "PRIORITY", "STATUS", "TITLE", "WHY")
PRINTED = ("key", "priority", "status", "title", "reason", "depends_on")
LIMIT = 1000
LIMIT_ON_TERMINAL = 100


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options
    from jules_job_manager.cli.queue_jobs import FIELDS

    parser.add_argument("--status", choices=STATUSES, help="only jobs of this status")
    parser.add_argument(
        "--limit", type=int, metavar="N",
        help=f"most jobs shown, 0 for all ({LIMIT}; as a table {LIMIT_ON_TERMINAL})",
    )  # fmt: skip
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the jobs."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import FIELDS, NO_JOBS, why

    fields = output.json_fields(args, FIELDS)
    jobs, total = _read(context, args.status, fields or PRINTED, _limit(args, context, fields))
    if fields is not None:
        output.print_json(context, jobs, args.jq)
    elif not jobs:
        context.note(f"No job is {args.status}." if args.status else NO_JOBS)
    else:
        rows = [(j["key"], j["priority"], j["status"], j["title"], why(j)) for j in jobs]
        output.print_table(context, HEADERS, rows, status_column=2)
    if len(jobs) < total:
        context.note(f"{len(jobs)} of {total} jobs are shown; --limit 0 shows all.")
    return 0


def _limit(args: Namespace, context: Context, fields: Sequence[str] | None) -> int | None:
    if args.limit is None:
        return LIMIT_ON_TERMINAL if fields is None and context.is_terminal else LIMIT
    if args.limit < 0:
        from jules_job_manager.errors import InvalidInputError

        raise InvalidInputError("--limit must be 0 or more.")
    return args.limit or None


def _read(
    context: Context, status: str | None, fields: Sequence[str], limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    """Return these fields of the first jobs, and how many there are."""
    from jules_job_manager.cli.instant import instantly

    def work(store: InstantStore) -> tuple[list[dict[str, Any]], int]:
        jobs = store.jobs(fields, status=status, limit=limit)
        return jobs, len(jobs) if limit is None or len(jobs) < limit else store.count_jobs(status)

    found = instantly(context, work)
    if found is not None:
        return found
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import read_jobs

    every = read_jobs(context, status=status)
    return [output.pick(job.to_dict(), fields) for job in every[:limit]], len(every)

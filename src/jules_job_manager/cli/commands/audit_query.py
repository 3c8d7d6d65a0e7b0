"""Show who did what, newest first.

jjm audit query --actor ci --since 2026-11-01
jjm audit query --operation key --json number,at,actor,operation,resource
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.audit import AuditEntry

HEADERS = ("NUMBER", "TIME", "ACTOR", "OPERATION", "RESOURCE", "RESULT", "FROM")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.audit_filters import FIELDS, add_filters
    from jules_job_manager.cli.output import add_json_options

    add_filters(parser)
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="most entries shown, 1 to 1000 (100)"
    )
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the entries."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.audit_filters import FIELDS, query_of
    from jules_job_manager.errors import InvalidInputError

    fields = output.json_fields(args, FIELDS)
    query = query_of(args)
    if not 1 <= args.limit <= 1000:
        raise InvalidInputError(
            "--limit must be 1 to 1000.", hint="jjm audit export writes them all."
        )

    async def work(app: App) -> Sequence[AuditEntry]:
        return await app.administration.newest_entries(query, limit=args.limit)

    found = context.run(work)
    if fields is not None:
        output.print_json(context, [output.pick(e.to_dict(), fields) for e in found], args.jq)
    elif not found:
        context.note("No entry fits.")
    else:
        rows = [
            (str(e.number), output.local_time(e.at), e.actor, e.operation, e.resource, e.result,
             e.address or e.kind)
            for e in found
        ]  # fmt: skip
        output.print_table(context, HEADERS, rows)
    return 0

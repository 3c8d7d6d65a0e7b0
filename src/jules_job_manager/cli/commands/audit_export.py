"""Write the audit log, oldest first, to stdout: JSON lines, one JSON list, or CSV.

jjm audit export --format csv --since 2026-11-01 > november.csv

In CSV, texts that a spreadsheet would run as a formula get an apostrophe in front.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import AsyncIterator

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.audit import AuditEntry


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.audit_filters import add_filters

    parser.add_argument(
        "--format",
        choices=("jsonl", "json", "csv"),
        default="jsonl",
        help="form of the output (jsonl)",
    )
    add_filters(parser)


def run(args: Namespace, context: Context) -> int:
    """Write the entries as they are read."""
    from jules_job_manager.cli.audit_filters import query_of

    query = query_of(args)
    writes = {"jsonl": _json_lines, "json": _json_list, "csv": _csv}[args.format]

    async def work(app: App) -> None:
        await writes(context, app.administration.entries(query))

    context.run(work)
    return 0


async def _json_lines(context: Context, entries: AsyncIterator[AuditEntry]) -> None:
    import json

    async for entry in entries:
        context.write(json.dumps(entry.to_dict()))


async def _json_list(context: Context, entries: AsyncIterator[AuditEntry]) -> None:
    import json

    before = "["
    async for entry in entries:
        context.stdout.write(f"{before}\n{json.dumps(entry.to_dict())}")
        before = ","
    context.write("[]" if before == "[" else "\n]")


async def _csv(context: Context, entries: AsyncIterator[AuditEntry]) -> None:
    import csv

    from jules_job_manager.cli.audit_filters import FIELDS
    from jules_job_manager.domain.audit import csv_cell

    writer = csv.writer(context.stdout, lineterminator="\n")
    writer.writerow(FIELDS)
    async for entry in entries:
        content = entry.to_dict()
        writer.writerow([csv_cell(content[name]) for name in FIELDS])

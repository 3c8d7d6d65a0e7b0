"""Prove that nobody changed, removed, added or moved entries of the audit log.

It prints the head. Kept elsewhere and given back with --expect-head, that also shows whether the
newest entries were cut off. It ends with 1 when something is wrong.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.audit import Proof

FIELDS = ("ok", "count", "first_number", "head", "problems")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument(
        "--expect-head",
        default="",
        metavar="HEAD",
        help="a head that was printed before: NUMBER:HASH",
    )
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Read the whole log."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.exit_codes import FAILED, OK

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> Proof:
        return await app.administration.prove(args.expect_head)

    found = context.run(work)
    if fields is not None:
        output.print_json(context, output.pick(found.to_dict(), fields), args.jq)
    else:
        for problem in found.problems:
            context.write(f"{problem.kind}\t{problem.text}")
        if not found.problems:
            context.write(f"ok\t{found.count} entries\t{found.head or '-'}")
    if found.is_head_too_old:
        context.note("The expected head is of an entry that retention removed; keep the newer one.")
    if found.problems:
        context.note("error: The audit log is not as it was written.")
    return FAILED if found.problems else OK

"""Give an API key a successor with the same name, role and scopes, and print it.

The old one stops working at once, or goes on for a while with --overlap-hours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.access import IssuedKey

MOST_HOURS = 24 * 90


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.access_keys import ISSUED_FIELDS, add_expiry
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("key", metavar="KEY", help="the key's id or name")
    parser.add_argument(
        "--overlap-hours", type=float, default=0.0, metavar="HOURS",
        help="the old key goes on working for so long (0)",
    )  # fmt: skip
    add_expiry(parser)
    add_json_options(parser, ISSUED_FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Rotate it."""
    from datetime import timedelta

    from jules_job_manager.cli import output
    from jules_job_manager.cli.access_keys import ISSUED_FIELDS, expiry, print_issued
    from jules_job_manager.errors import InvalidInputError

    fields = output.json_fields(args, ISSUED_FIELDS)
    if not 0 <= args.overlap_hours <= MOST_HOURS:
        raise InvalidInputError(f"--overlap-hours must be 0 to {MOST_HOURS}.")

    async def work(app: App) -> tuple[IssuedKey, datetime]:
        issued = await app.administration.rotate_key(
            args.key, overlap=timedelta(hours=args.overlap_hours),
            expires_at=expiry(args, app.clock.now()),
        )  # fmt: skip
        return issued, app.clock.now()

    issued, now = context.run(work)
    print_issued(context, issued, now, fields, args.jq)
    return 0

"""Send again: one delivery, or with --endpoint and --since every event since a time.

The message ids stay the same, so that a receiver knows what it has. The server sends them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import number

    parser.add_argument(
        "delivery", metavar="DELIVERY", nargs="?", type=number,
        help="its number, as `jjm webhook deliveries` shows it",
    )  # fmt: skip
    parser.add_argument("--endpoint", metavar="ID", help="all that this endpoint wants")
    parser.add_argument("--since", metavar="TIME", help="since then, as 2026-11-24T12:00:00Z")
    parser.add_argument("--dry-run", action="store_true", help="send nothing again")


def run(args: Namespace, context: Context) -> int:
    """Let them be sent again."""
    from jules_job_manager.domain.clockwork import from_rfc3339
    from jules_job_manager.errors import InvalidInputError

    is_many = bool(args.endpoint and args.since) and args.delivery is None
    is_one = args.delivery is not None and not (args.endpoint or args.since)
    if not (is_many or is_one):
        raise InvalidInputError("Name a delivery, or both --endpoint and --since.")
    try:
        since = from_rfc3339(args.since) if args.since else None
    except ValueError as exc:
        raise InvalidInputError(
            f"--since {args.since!r} is no time.", hint="Write it as 2026-11-24T12:00:00Z."
        ) from exc

    async def work(app: App) -> int:
        async with app.administration.webhooks() as webhooks:
            if since is None:
                return await webhooks.replay(args.delivery, dry_run=args.dry_run)
            return await webhooks.replay_since(args.endpoint, since, dry_run=args.dry_run)

    count = context.run(work)
    words = "Would send" if args.dry_run else "Sending"
    context.write(f"{words} {count} message{'s' * (count != 1)} again.")
    return 0

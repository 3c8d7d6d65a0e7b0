"""Send nothing to an endpoint any more, and forget its deliveries."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "endpoint", metavar="ID", help="the endpoint, as `jjm webhook list` shows it"
    )
    parser.add_argument("--dry-run", action="store_true", help="delete nothing")


def run(args: Namespace, context: Context) -> int:
    """Delete the endpoint."""
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> None:
        async with app.administration.webhooks() as webhooks:
            await webhooks.get(args.endpoint)
            if not args.dry_run:
                await webhooks.delete(args.endpoint)

    context.run(work)
    if args.dry_run:
        context.note(f"Would delete {args.endpoint}.")
    else:
        context.write(safe_text(f"{args.endpoint} deleted"))
    return 0

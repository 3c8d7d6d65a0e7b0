"""Send a test message to every address of notify.urls."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dry-run", action="store_true", help="only check the addresses")
    parser.add_argument(
        "--alert", action="store_true", help="send it in the form of an alert, at once"
    )


def run(args: Namespace, context: Context) -> int:
    """Send the message."""

    async def work(app: App) -> int:
        return await app.administration.try_notifications(alert=args.alert, dry_run=args.dry_run)

    count = context.run(work)
    context.write(
        f"{'Checked' if args.dry_run else 'Sent to'} {count} address{'es' * (count > 1)}."
    )
    return 0

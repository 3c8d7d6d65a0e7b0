"""Send a test message to an endpoint now, and say how it was answered. Exit code 1: it was not taken."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.ports.webhook_sender import SendResult


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "endpoint", metavar="ID", help="the endpoint, as `jjm webhook list` shows it"
    )
    parser.add_argument("--dry-run", action="store_true", help="only look whether it is there")


def run(args: Namespace, context: Context) -> int:
    """Send the message."""
    from jules_job_manager.cli.exit_codes import FAILED, OK
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> SendResult | None:
        async with app.administration.webhooks() as webhooks:
            await webhooks.get(args.endpoint)
            return None if args.dry_run else await webhooks.test(args.endpoint)

    found = context.run(work)
    if found is None:
        context.note(f"Would send a test message to {args.endpoint}.")
        return OK
    how = found.error or f"{found.status} {found.answer}".strip()
    context.write(
        safe_text(f"{'Taken' if found.was_taken else 'Not taken'}: {how} ({found.latency_ms} ms)")
    )
    return OK if found.was_taken else FAILED

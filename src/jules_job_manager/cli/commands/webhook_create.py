"""Send events to an address from now on, and print the secret that its messages are signed with.

The secret is shown this once. How to check a message: docs/reference/webhooks.md.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.webhook import WebhookEndpoint


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("url", metavar="URL", help="where to: https://…")
    add_filters(parser)
    parser.add_argument("--description", default="", metavar="TEXT", help="what it is for")
    parser.add_argument("--dry-run", action="store_true", help="only check the address and filters")


def add_filters(parser: ArgumentParser) -> None:
    """Declare which events are sent."""
    parser.add_argument(
        "--type", action="append", metavar="TYPE",
        help="only events of this type, for example task_state_changed; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--subject", action="append", metavar="SUBJECT",
        help="only what is about this: task:ID, job:KEY, or a beginning such as job:*; repeatable",
    )  # fmt: skip


def run(args: Namespace, context: Context) -> int:
    """Make the endpoint."""
    types, subjects = args.type or (), args.subject or ()

    async def check(app: App) -> None:
        async with app.administration.webhooks() as webhooks:
            await webhooks.check(args.url, types, subjects)

    if args.dry_run:
        context.run(check)
        context.note("The address and the filters can be used; nothing was made.")
        return 0

    async def work(app: App) -> WebhookEndpoint:
        async with app.administration.webhooks() as webhooks:
            return await webhooks.create(
                args.url, types=types, subjects=subjects, description=args.description
            )

    made = context.run(work)
    context.write(f"{made.id}\t{made.secret}")
    context.note("Keep the secret: it is not shown again. Try it with: jjm webhook test " + made.id)
    return 0

"""Change where events are sent, which, and whether; or give the endpoint a new secret.

With --rotate-secret messages are signed with both secrets for a day, and the new one is printed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.webhook import WebhookEndpoint
    from jules_job_manager.services.webhooks import EndpointChange


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.commands.webhook_create import add_filters

    parser.add_argument(
        "endpoint", metavar="ID", help="the endpoint, as `jjm webhook list` shows it"
    )
    parser.add_argument("--url", metavar="URL", help="another address")
    add_filters(parser)
    parser.add_argument("--every-event", action="store_true", help="forget all filters")
    parser.add_argument("--description", metavar="TEXT", help="what it is for")
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        "--enable", dest="enabled", action="store_const", const=True,
        help="send again, beginning with what was missed",
    )  # fmt: skip
    state.add_argument(
        "--disable", dest="enabled", action="store_const", const=False, help="send nothing for now"
    )
    parser.add_argument("--skip-missed", action="store_true", help="do not send what was missed")
    parser.add_argument("--rotate-secret", action="store_true", help="make a new secret")
    parser.add_argument("--dry-run", action="store_true", help="change nothing")


def run(args: Namespace, context: Context) -> int:
    """Change the endpoint."""
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.errors import InvalidInputError

    change = _change(args)
    if change is None and not args.rotate_secret:
        raise InvalidInputError("Say what to change.", hint="jjm webhook update --help lists it.")

    async def work(app: App) -> WebhookEndpoint:
        async with app.administration.webhooks() as webhooks:
            found = await webhooks.get(args.endpoint)
            if args.dry_run:
                if change is not None:
                    await webhooks.check(change.url, change.types or (), change.subjects or ())
                return found
            if change is not None:
                found = await webhooks.update(args.endpoint, change)
            return await webhooks.rotate_secret(args.endpoint) if args.rotate_secret else found

    found = context.run(work)
    if args.dry_run:
        context.note(f"Would change {found.id}.")
    elif args.rotate_secret:
        context.write(f"{found.id}\t{found.secret}")
        context.note("Keep the secret: it is not shown again. The old one holds for a day.")
    else:
        context.write(safe_text(f"{found.id} changed"))
    return 0


def _change(args: Namespace) -> EndpointChange | None:
    from jules_job_manager.services.webhooks import EndpointChange

    none = () if args.every_event else None
    change = EndpointChange(
        url=args.url, description=args.description,
        types=none if args.type is None else args.type,
        subjects=none if args.subject is None else args.subject,
        enabled=args.enabled, skip_missed=args.skip_missed,
    )  # fmt: skip
    return None if change == EndpointChange() else change

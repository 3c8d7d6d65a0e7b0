"""Show what was sent, how it was answered, and what is still to be sent; newest first."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.webhook import WebhookDelivery

FIELDS = (
    "id", "endpoint_id", "message_id", "event_id", "event_type", "state", "tries", "due", "status",
    "latency_ms", "answer", "error", "created_at", "finished_at",
)  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import number
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("endpoint", metavar="ID", nargs="?", help="only this endpoint's")
    parser.add_argument(
        "--state", choices=("pending", "delivered", "failed"), help="only those that stand so"
    )
    parser.add_argument("--before", type=number, metavar="DELIVERY", help="go on after this one")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (50)")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the deliveries."""
    from jules_job_manager.cli import output
    from jules_job_manager.domain.webhook import DeliveryState

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> Sequence[WebhookDelivery]:
        async with app.administration.webhooks() as webhooks:
            return await webhooks.deliveries(
                args.endpoint, state=DeliveryState(args.state) if args.state else None,
                before_id=args.before, limit=args.limit,
            )  # fmt: skip

    found = context.run(work)
    if fields is not None:
        output.print_json(context, [output.pick(one.to_dict(), fields) for one in found], args.jq)
        return 0
    if not found:
        is_narrowed = args.state or args.before is not None
        nothing = "Nothing was sent yet; the server sends what happens while it runs."
        context.note("No delivery fits." if is_narrowed else nothing)
        return 0
    rows = [
        [str(one.id), one.state.value, one.event_type, one.endpoint_id, _words(one)]
        for one in found
    ]
    output.print_table(context, ["ID", "STATUS", "EVENT", "ENDPOINT", "ANSWER"], rows)
    return 0


def _words(delivery: WebhookDelivery) -> str:
    if not delivery.tries:
        return "not sent yet"
    how = delivery.error or f"{delivery.status} {delivery.answer}".strip()
    tries = f", {delivery.tries} tries" if delivery.tries > 1 else ""
    return f"{how} ({delivery.latency_ms} ms{tries})"

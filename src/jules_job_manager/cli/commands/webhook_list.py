"""List the addresses that events are sent to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.webhook import WebhookEndpoint

FIELDS = (
    "id", "url", "description", "types", "subjects", "enabled", "disabled_reason", "failing_since",
    "cursor", "created_at",
)  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the endpoints."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> Sequence[WebhookEndpoint]:
        async with app.administration.webhooks() as webhooks:
            return await webhooks.list()

    found = context.run(work)
    if fields is not None:
        output.print_json(context, [output.pick(one.to_dict(), fields) for one in found], args.jq)
        return 0
    if not found:
        context.note("Events are sent nowhere. Begin with: jjm webhook create URL")
        return 0
    rows = [[one.id, _state(one), one.url, ", ".join((*one.types, *one.subjects))] for one in found]
    output.print_table(context, ["ID", "STATUS", "URL", "WHAT"], rows)
    return 0


def _state(endpoint: WebhookEndpoint) -> str:
    if not endpoint.enabled:
        return f"disabled: {endpoint.disabled_reason}"
    return "enabled" if endpoint.failing_since is None else "failing"

"""List API keys, oldest first. The keys themselves are not kept."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.access import ApiKey

HEADERS = ("ID", "NAME", "ROLE", "SCOPES", "STATUS", "LAST USED", "EXPIRES")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.access_keys import FIELDS
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("--active", action="store_true", help="only those that work")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the keys."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.access_keys import FIELDS

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> tuple[list[ApiKey], datetime]:
        return list(await app.administration.list_keys()), app.clock.now()

    keys, now = context.run(work)
    if args.active:
        keys = [key for key in keys if key.state(now) == "active"]
    if fields is not None:
        output.print_json(context, [output.pick(k.to_dict(now), fields) for k in keys], args.jq)
    elif not keys:
        context.note("There is no key. Make one with: jjm key create NAME --role ROLE")
    else:
        output.print_table(context, HEADERS, [_row(key, now) for key in keys], status_column=4)
    return 0


def _row(key: ApiKey, now: datetime) -> tuple[str, ...]:
    from jules_job_manager.cli.output import local_time

    scopes = ", ".join(sorted(key.scopes)) or "all of the role"
    used, ends = local_time(key.last_used_at), local_time(key.expires_at)
    return key.id, key.name, key.role.value, scopes, key.state(now), used, ends

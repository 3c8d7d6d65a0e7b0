"""Print a link that signs a person in with their browser. It works once, for a few minutes.

jjm key link 'Ada' --role operator
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.bootstrap.administration import MadeLink
    from jules_job_manager.cli.context import Context

FIELDS = ("name", "role", "url", "expires_at")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.access_keys import ROLES
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("name", metavar="NAME", help="who signs in; the actor of what they do")
    parser.add_argument("--role", required=True, choices=ROLES, help="what they may do")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Make the link."""
    from jules_job_manager.cli import output
    from jules_job_manager.domain.access import Role
    from jules_job_manager.domain.clockwork import to_rfc3339

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> MadeLink:
        return await app.administration.make_link(args.name, Role(args.role))

    link = context.run(work)
    if fields is not None:
        made = {
            "name": args.name,
            "role": args.role,
            "url": link.url,
            "expires_at": to_rfc3339(link.expires_at),
        }
        output.print_json(context, output.pick(made, fields), args.jq)
        return 0
    context.write(link.url)
    context.note(f"It works once, until {output.local_time(link.expires_at)}.")
    return 0

"""List who is signed in with a browser, oldest session first. Sessions that are over are left out.

`jjm key revoke --person NAME` ends all of a person's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.access import SignedIn

FIELDS = ("id", "name", "role", "origin", "created_at", "last_used_at", "expires_at")
HEADERS = ("ID", "NAME", "ROLE", "BY", "SINCE", "LAST USED", "EXPIRES")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the sessions."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> list[SignedIn]:
        return list(await app.administration.list_sessions())

    sessions = context.run(work)
    if fields is not None:
        output.print_json(
            context, [output.pick(session.to_dict(), fields) for session in sessions], args.jq
        )
    elif not sessions:
        context.note("Nobody is signed in. Let somebody with: jjm key link NAME --role ROLE")
    else:
        output.print_table(context, HEADERS, [_row(session) for session in sessions])
    return 0


def _row(session: SignedIn) -> tuple[str, ...]:
    from jules_job_manager.cli.output import local_time

    moments = (session.created_at, session.last_used_at, session.expires_at)
    who = (session.id, session.name, session.role.value, session.origin)
    return *who, *(local_time(moment) for moment in moments)

"""Make an API key for a program and print it; it is not kept and cannot be shown again.

jjm key create ci --role operator
jjm key create dashboard --role viewer --scope tasks:read --scope queue:read --expires-days 90
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.access import IssuedKey


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.access_keys import ISSUED_FIELDS, ROLES, add_expiry
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("name", metavar="NAME", help="who uses it; the actor of what it does")
    parser.add_argument("--role", required=True, choices=ROLES, help="what it may do at most")
    parser.add_argument(
        "--scope", action="append", default=[], metavar="PERMISSION",
        help="narrow it to this, for example tasks:read; repeatable",
    )  # fmt: skip
    add_expiry(parser)
    add_json_options(parser, ISSUED_FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Make the key."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.access_keys import ISSUED_FIELDS, expiry, print_issued
    from jules_job_manager.domain.access import Permission, Role, scopes_from
    from jules_job_manager.errors import InvalidInputError

    fields = output.json_fields(args, ISSUED_FIELDS)
    unknown = [word for word in args.scope if word not in set(Permission)]
    if unknown:
        raise InvalidInputError(
            f"There is no scope {unknown[0]!r}.", hint=f"Scopes: {', '.join(Permission)}"
        )
    scopes = scopes_from(args.scope)

    async def work(app: App) -> IssuedKey:
        return await app.administration.create_key(
            args.name, Role(args.role), scopes=scopes, expires_at=expiry(args, app.clock.now())
        )

    issued = context.run(work)
    print_issued(context, issued, issued.key.created_at, fields, args.jq)
    return 0

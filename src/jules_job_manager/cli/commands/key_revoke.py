"""Make an API key stop working at once, or sign a person out everywhere.

A person's sign-in links that nobody used yet stop working, too. Nobody of that name: it ends with 1.

jjm key revoke ci
jjm key revoke --person ada@example.org
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.access import ApiKey, EndedSignIns


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", nargs="?", help="the key's id or name")
    parser.add_argument("--person", metavar="NAME", help="sign this person out everywhere instead")


def run(args: Namespace, context: Context) -> int:
    """Revoke it."""
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.errors import InvalidInputError, RecordNotFoundError

    if (args.key is None) == (args.person is None):
        raise InvalidInputError("Name a key, or a person with --person, and not both.")

    async def sign_out(app: App) -> EndedSignIns:
        return await app.administration.sign_out_person(args.person)

    async def revoke(app: App) -> ApiKey:
        return await app.administration.revoke_key(args.key)

    if args.person is not None:
        ended = context.run(sign_out)
        if not ended:
            raise RecordNotFoundError(
                f"Nobody named {args.person!r} is signed in or has a sign-in link.",
                hint="List who is signed in with: jjm key sessions",
            )
        said = f"{ended.sessions} sessions and {ended.links} unused links ended"
        context.write(safe_text(f"{args.person}: {said}"))
        return 0
    key = context.run(revoke)
    context.write(safe_text(f"{key.id} of {key.name} is revoked"))
    return 0

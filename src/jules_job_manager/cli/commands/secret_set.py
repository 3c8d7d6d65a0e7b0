"""Keep a secret in this machine's keyring, and print how a setting refers to it.

The secret is asked for, or read from stdin: an argument would be seen by other users. Needs the
extra `keyring`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

SERVICE = "jjm"
MOST_CHARACTERS = 64 * 1024


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "name", metavar="NAME", help="what to call it, such as jules-key, or SERVICE/NAME"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be kept where")


def run(args: Namespace, context: Context) -> int:
    """Keep the secret."""
    from jules_job_manager.adapters.secrets.keyring import KeyringSecrets
    from jules_job_manager.domain.secret_reference import SCHEMES, reference_from
    from jules_job_manager.errors import InvalidInputError

    name = args.name if "/" in args.name else f"{SERVICE}/{args.name}"
    try:
        reference = reference_from(f"keyring:{name}")
    except ValueError:
        raise InvalidInputError(
            f"{args.name!r} is no name for a secret.", hint=f"It is used in {SCHEMES['keyring']}."
        ) from None
    if not args.dry_run:
        KeyringSecrets().write(reference, _secret(context))
    context.note(f"{'Would keep' if args.dry_run else 'Kept'}; a setting refers to it as")
    context.write(str(reference))
    return 0


def _secret(context: Context) -> str:
    from jules_job_manager.errors import InvalidInputError

    if context.is_interactive:
        import getpass

        text = getpass.getpass("Secret: ", stream=context.stderr)
    else:
        text = context.stdin.read(MOST_CHARACTERS + 1)
        text = text.removesuffix("\n").removesuffix("\r")
    if not text or len(text) > MOST_CHARACTERS:
        raise InvalidInputError(
            f"The secret is {'too long' if text else 'empty'}; nothing was kept.",
            hint="Type it when asked, or give it on stdin.",
        )
    return text

"""What the commands about API keys have in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from datetime import datetime

    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.access import IssuedKey

FIELDS = (
    "id", "name", "role", "scopes", "state", "created_at", "created_by", "expires_at", "revoked_at",
    "last_used_at",
)  # fmt: skip
ISSUED_FIELDS = (*FIELDS, "key")
ROLES = ("viewer", "operator", "admin")
MOST_DAYS = 36500


def add_expiry(parser: ArgumentParser) -> None:
    """Declare when a key stops working; `expiry` reads it."""
    parser.add_argument(
        "--expires-days", type=float, metavar="DAYS", help="the key stops working after so long"
    )


def expiry(args: Namespace, now: datetime) -> datetime | None:
    """Return when the key is to stop working, or None when nothing was said.

    Raises:
        InvalidInputError: it is no number of days.
    """
    from datetime import timedelta

    from jules_job_manager.errors import InvalidInputError

    if args.expires_days is None:
        return None
    if not 0 < args.expires_days <= MOST_DAYS:
        raise InvalidInputError(f"--expires-days must be above 0 and at most {MOST_DAYS}.")
    return now + timedelta(days=args.expires_days)


def print_issued(
    context: Context, issued: IssuedKey, now: datetime, fields: Sequence[str] | None, jq: str | None
) -> None:
    """Print a new key: alone on a line of stdout, so that it can be piped into a secret store."""
    from jules_job_manager.cli import output

    key = issued.key
    if fields is not None:
        output.print_json(
            context, output.pick({**key.to_dict(now), "key": issued.text}, fields), jq
        )
    else:
        context.write(issued.text)
    ends = "" if key.expires_at is None else f", until {output.local_time(key.expires_at)}"
    context.note(
        f"Key {key.id} of {key.name} ({key.role}){ends}. It is shown this once; keep it safe."
    )

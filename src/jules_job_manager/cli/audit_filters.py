"""Options of commands that read the audit log."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime

    from jules_job_manager.ports.audit_log import AuditQuery

FIELDS = (
    "number", "at", "actor", "kind", "operation", "resource", "result", "request_id", "address", "before",
    "after", "previous_hash", "hash",
)  # fmt: skip


def add_filters(parser: ArgumentParser) -> None:
    """Declare which entries are wanted; `query_of` reads it."""
    parser.add_argument("--since", metavar="TIME", help="at or after this time (local, or with Z)")
    parser.add_argument("--until", metavar="TIME", help="before this time")
    parser.add_argument("--actor", default="", metavar="NAME", help="who did it")
    parser.add_argument(
        "--operation", default="", metavar="WORD", help="what was done: key.create, or all of key"
    )
    parser.add_argument(
        "--resource", default="", metavar="NAME", help="to what, for example key:ab12cd34"
    )
    parser.add_argument(
        "--result", default="", choices=("", "done", "refused", "failed"), help="how it ended"
    )
    parser.add_argument("--request", default="", metavar="ID", help="in which request")


def query_of(args: Namespace) -> AuditQuery:
    """Return what is wanted.

    Raises:
        InvalidInputError: a time is none.
    """
    from jules_job_manager.ports.audit_log import AuditQuery

    return AuditQuery(
        since=_moment(args.since), until=_moment(args.until), actor=args.actor,
        operation=args.operation, resource=args.resource, result=args.result, request_id=args.request,
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    from datetime import UTC, datetime

    from jules_job_manager.errors import InvalidInputError

    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InvalidInputError(
            f"{text!r} is not a time.", hint="Write it as 2026-12-01T06:00 or 2026-12-01T06:00Z."
        ) from exc

"""Bring the configured database to the newest schema, or to another one.

SQLite stores are brought up to date by themselves; PostgreSQL waits for this command, because
others may be working with it. Stop them first, and make a copy.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--to", metavar="REVISION", help="another revision than the newest")
    parser.add_argument("--yes", action="store_true", help="go back, though that loses data")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def run(args: Namespace, context: Context) -> int:
    """Change the schema, and say from what to what."""
    import asyncio

    from jules_job_manager.adapters.storage.upgrading import change_schema
    from jules_job_manager.bootstrap import data_path
    from jules_job_manager.errors import ConfigurationError

    settings = context.settings()
    kind, address = settings.storage.backend, str(data_path(settings))
    if kind == "json":
        context.note("A JSON file has no schema; there is nothing to do.")
        return 0
    if kind == "postgresql":
        address = settings.storage.database_url
        if not address:
            raise ConfigurationError("There is no DATABASE_URL.")
    change = asyncio.run(
        change_schema(
            kind=kind, address=address, revision=args.to, may_lose=args.yes, dry_run=args.dry_run
        )
    )
    if change.before == change.after:
        context.note(f"{change.location} is at {change.after} already.")
    elif args.dry_run:
        context.note(f"{change.location} would go from {change.before} to {change.after}.")
    else:
        context.note(f"{change.location} went from {change.before} to {change.after}.")
    context.write(change.before if args.dry_run else change.after)
    return 0

"""Merge what was written locally while PostgreSQL was away into the database.

With storage.fallback = "local" this happens by itself as soon as the database answers again. It
may be ended and repeated at any time: nothing is lost and nothing is doubled.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dry-run", action="store_true", help="only count what waits to be merged")


def run(args: Namespace, context: Context) -> int:
    """Merge, and print what was merged."""
    import asyncio

    from jules_job_manager.adapters.storage.fallback import fallback_path, merge_now, waiting
    from jules_job_manager.bootstrap import data_path
    from jules_job_manager.errors import ConfigurationError

    settings = context.settings()
    if settings.storage.backend != "postgresql":
        raise ConfigurationError(
            "Only PostgreSQL has a fallback to merge.",
            hint="Set storage.backend to postgresql and DATABASE_URL.",
        )
    path = fallback_path(data_path(settings))
    if args.dry_run:
        for table, count in asyncio.run(waiting(path)).items():
            context.write(f"{table}\t{count}")
        context.note("Nothing was merged.")
        return 0
    merged = asyncio.run(merge_now(path, settings.storage.database_url))
    for table, count in merged.items():
        context.write(f"{table}\t{count}")
    context.note("Everything is in the database." if merged else "There was nothing to merge.")
    return 0

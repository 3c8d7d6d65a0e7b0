"""Move everything from one store into another, empty one.

SPEC is json:FILE, sqlite:FILE or postgresql://user@host/name; json, sqlite or postgresql alone
mean the usual place (the home folder, DATABASE_URL). Counts and contents are compared before
anything is kept, and the source is not changed. Stop what works with the source first, and
set storage.backend to the new store afterwards. A JSON file keeps no jobs, no keys and no audit
log; --leave-audit lets the log stay in the old store.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.adapters.storage.moving import Place
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--from", dest="source", metavar="SPEC", required=True, help="what to move")
    parser.add_argument(
        "--to", dest="target", metavar="SPEC", required=True, help="where to; it must be empty"
    )
    parser.add_argument(
        "--leave-audit", action="store_true",
        help="let the audit log stay in the old store, where the new one is a JSON file",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only count what would be moved")


def run(args: Namespace, context: Context) -> int:
    """Move, and print what was moved."""
    import asyncio

    from jules_job_manager.adapters.storage.moving import look, move
    from jules_job_manager.adapters.system_clock import SystemClock

    source, target = _place(context, args.source), _place(context, args.target)
    if args.dry_run:
        seen = look(source, target, clock=SystemClock(), leave_audit=args.leave_audit)
        for table, extent in asyncio.run(seen).items():
            context.write(f"{table}\t{extent.count}\t{extent.digest:064x}")
        context.note("Nothing was moved.")
        return 0

    def report(table: str) -> None:
        context.note(f"moving {table} …")

    moved = asyncio.run(
        move(source, target, clock=SystemClock(), report=report, leave_audit=args.leave_audit)
    )
    for table, extent in moved.items():
        context.write(f"{table}\t{extent.count}\t{extent.digest:064x}")
    context.note("Everything arrived. To use it:")
    for command in _commands_to_use(context, target):
        context.note(f"  {command}")
    return 0


def _commands_to_use(context: Context, target: Place) -> list[str]:
    """Return what makes the new store the configured one. An address may hold a password."""
    from shlex import quote

    from jules_job_manager.adapters.storage.moving import place_from
    from jules_job_manager.settings.locate import default_data_path

    settings = context.settings()
    commands = [f"jjm config set storage.backend {target.kind}"]
    if target.kind == "postgresql":
        if target.address != settings.storage.database_url:
            commands.append("export DATABASE_URL=…   # the address you gave")
        return commands
    default = default_data_path({"JJM_HOME": str(settings.home)}, target.kind)
    usual = place_from(target.kind, postgresql="", sqlite=default, json=default)
    if target != usual:
        commands.append(f"jjm config set storage.data_path {quote(target.address)}")
    elif settings.storage.data_path:
        commands.append("jjm config set storage.data_path ''")
    return commands


def _place(context: Context, text: str) -> Place:
    from jules_job_manager.adapters.storage.moving import place_from
    from jules_job_manager.settings.locate import default_data_path

    settings = context.settings()
    places = {}
    for kind in ("sqlite", "json"):
        configured = settings.storage.data_path if settings.storage.backend == kind else ""
        places[kind] = configured or default_data_path({"JJM_HOME": str(settings.home)}, kind)
    return place_from(text, postgresql=settings.storage.database_url, **places)

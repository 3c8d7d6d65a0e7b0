"""List tasks, newest change first.

Jules is asked, and the answer is merged with what is stored. When Jules cannot be reached, or
with --cached, the stored tasks are shown with their age.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from jules_job_manager.adapters.storage.instant import InstantStore
    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.tasks import TaskList

FIELDS = (
    "id", "title", "description", "repository", "branch", "status", "created_at", "updated_at", "url",
    "raw_state", "working_branch", "require_plan_approval", "archived", "backend", "seen_at",
    "outputs", "metadata",
)  # fmt: skip
STATUSES = (
    "all", "pending", "in_progress", "waiting_approval", "waiting_feedback", "paused", "completed",
    "failed", "cancelled", "unknown",
)  # fmt: skip
PRINTED = ("id", "title", "repository", "status", "created_at", "updated_at", "seen_at")
HEADERS = ("ID", "TITLE", "REPOSITORY", "STATUS", "UPDATED")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument(
        "--status", choices=STATUSES, default="all", help="only tasks of this status"
    )
    parser.add_argument("--repo", metavar="OWNER/NAME", help="only tasks of this repository")
    parser.add_argument("--limit", type=int, default=100, help="most tasks shown, 1 to 1000 (100)")
    parser.add_argument("--archived", action="store_true", help="show archived tasks too")
    parser.add_argument(
        "--cached", action="store_true", help="show what is stored, do not ask Jules"
    )
    parser.add_argument("--ids", "-q", action="store_true", help="print ids only, one a line")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the tasks."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)
    if not 1 <= args.limit <= 1000:
        from jules_job_manager.errors import InvalidInputError

        raise InvalidInputError("--limit must be between 1 and 1000.")
    tasks = _read(args, context, fields or PRINTED)
    if fields is not None:
        output.print_json(context, tasks, args.jq)
    elif args.ids:
        for task in tasks:
            context.write(task["id"])
    elif not tasks:
        context.note("No tasks.")
    else:
        _print(context, tasks)
        if args.cached:
            _say_age(context, tasks)
    return 0


def _read(args: Namespace, context: Context, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Return these fields of the tasks: at once where that is as good, else by asking Jules."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.instant import instantly, watched_backend

    def work(store: InstantStore) -> list[dict[str, Any]] | None:
        backend = None if args.cached else watched_backend(context, store)
        if not args.cached and backend is None:
            return None
        return store.tasks(
            fields, status=None if args.status == "all" else args.status, backend=backend,
            repository=_repository(args), include_archived=args.archived, limit=args.limit,
        )  # fmt: skip

    tasks = instantly(context, work)
    if tasks is not None:
        return tasks
    with output.progress(context, "Asking Jules …"):
        found = context.run(lambda app: _fetch(app, args))
    if found.stale_since is not None:
        seconds = _seconds_since(found.stale_since)
        context.note(f"warning: {found.failure} Shown as of {output.age(seconds)} ago.")
    return [output.pick(task.to_dict(), fields) for task in found.tasks]


def _repository(args: Namespace) -> str | None:
    if not args.repo:
        return None
    from jules_job_manager.domain.references import repository_from

    return repository_from(args.repo)


async def _fetch(app: App, args: Namespace) -> TaskList:
    from jules_job_manager.domain.task import TaskStatus
    from jules_job_manager.ports.task_store import TaskQuery
    from jules_job_manager.services.tasks import TaskList

    status = None if args.status == "all" else TaskStatus(args.status)
    repository = _repository(args)
    if args.cached:
        query = TaskQuery(
            status=status, repository=repository, include_archived=args.archived, limit=args.limit
        )
        return TaskList(tasks=(await app.store.tasks.list_tasks(query)).tasks)
    return await app.tasks.list_tasks(
        status=status, repository=repository, include_archived=args.archived, limit=args.limit
    )


def _print(context: Context, tasks: Sequence[Mapping[str, Any]]) -> None:
    from jules_job_manager.cli import output
    from jules_job_manager.domain.text import shorten

    rows = [
        (
            task["id"][:8] if context.is_terminal else task["id"],
            shorten(task["title"], 50), task["repository"], task["status"],
            output.local_time_of(task["updated_at"] or task["created_at"]),
        )
        for task in tasks
    ]  # fmt: skip
    output.print_table(context, HEADERS, rows, status_column=3)


def _say_age(context: Context, tasks: Sequence[Mapping[str, Any]]) -> None:
    """Say how long ago Jules was last asked about the task that was left alone longest."""
    from datetime import datetime

    from jules_job_manager.cli import output

    seen = min((task["seen_at"] for task in tasks if task["seen_at"]), default=None)
    if seen is not None:
        old = output.age(_seconds_since(datetime.fromisoformat(seen)))
        context.note(f"Stored tasks, as of {old} ago; without --cached Jules is asked.")


def _seconds_since(moment: datetime) -> float:
    from datetime import UTC, datetime

    return (datetime.now(UTC) - moment).total_seconds()

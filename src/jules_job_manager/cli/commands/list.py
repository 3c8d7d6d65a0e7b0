"""List tasks, newest change first.

Jules is asked, and the answer is merged with what is stored. When Jules cannot be reached, or
with --cached, the stored tasks are shown with their age.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

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
    from jules_job_manager.errors import InvalidInputError

    fields = output.json_fields(args, FIELDS)
    if not 1 <= args.limit <= 1000:
        raise InvalidInputError("--limit must be between 1 and 1000.")

    async def work(app: App) -> TaskList:
        return await _fetch(app, args)

    with output.progress(context, "Asking Jules …"):
        found = context.run(work)
    if found.stale_since is not None:
        seconds = _seconds_since(found.stale_since)
        context.note(
            f"warning: Jules cannot be reached ({found.failure}); shown as of {output.age(seconds)} ago"
        )
    if fields is not None:
        output.print_json(context, [output.pick(t.to_dict(), fields) for t in found.tasks], args.jq)
    elif args.ids:
        for task in found.tasks:
            context.write(task.id)
    elif not found.tasks:
        context.note("No tasks.")
    else:
        _print(context, found)
    return 0


async def _fetch(app: App, args: Namespace) -> TaskList:
    from jules_job_manager.domain.references import repository_from
    from jules_job_manager.domain.task import TaskStatus
    from jules_job_manager.ports.task_store import TaskQuery
    from jules_job_manager.services.tasks import TaskList

    status = None if args.status == "all" else TaskStatus(args.status)
    repository = repository_from(args.repo) if args.repo else None
    if args.cached:
        query = TaskQuery(
            status=status, repository=repository, include_archived=args.archived, limit=args.limit
        )
        return TaskList(tasks=(await app.store.tasks.list_tasks(query)).tasks)
    return await app.tasks.list_tasks(
        status=status, repository=repository, include_archived=args.archived, limit=args.limit
    )


def _print(context: Context, found: TaskList) -> None:
    from jules_job_manager.cli import output
    from jules_job_manager.domain.text import shorten

    rows = [
        (
            task.id[:8] if context.is_terminal else task.id,
            shorten(task.title, 50), task.repository, task.status.value,
            output.local_time(task.updated_at or task.created_at),
        )
        for task in found.tasks
    ]  # fmt: skip
    output.print_table(context, HEADERS, rows, status_column=3)


def _seconds_since(moment: object) -> float:
    from datetime import UTC, datetime

    assert isinstance(moment, datetime)
    return (datetime.now(UTC) - moment).total_seconds()

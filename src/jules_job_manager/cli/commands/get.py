"""Show one task: its facts, its files, and the last of the conversation."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping
    from typing import Any

    from jules_job_manager.adapters.storage.instant import InstantStore
    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.task import JulesTask

FIELDS = (
    "id", "title", "description", "repository", "branch", "status", "created_at", "updated_at", "url",
    "chat_history", "source_files", "plan", "outputs", "raw_state", "working_branch",
    "require_plan_approval", "archived", "backend", "seen_at", "metadata",
)  # fmt: skip
FILE_MARKS = {"modified": "✏️ ", "created": "➕", "deleted": "❌"}
LAST_MESSAGES = 5


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "--cached", action="store_true", help="show what is stored, do not ask Jules"
    )
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the task."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)
    task = _read(args, context)
    if fields is not None:
        output.print_json(context, output.pick(task, fields), args.jq)
    else:
        print_task(context, task)
    return 0


def _read(args: Namespace, context: Context) -> dict[str, Any]:
    """Return the task: at once where that is as good, else by asking Jules."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.instant import instantly

    task = instantly(context, lambda store: _stored(args, context, store))
    if task is not None:
        return task
    with output.progress(context, "Asking Jules …"):
        found = context.run(lambda app: fetch(app, args.task, cached=args.cached, context=context))
    return found.to_dict()


def _stored(args: Namespace, context: Context, store: InstantStore) -> dict[str, Any] | None:
    """Return the task; None when it is not there, not clearly named, or not looked at just now."""
    from jules_job_manager.cli.instant import is_fresh, watched_backend

    backend = None if args.cached else watched_backend(context, store)
    if not args.cached and backend is None:
        return None
    wanted = args.task
    if not wanted.replace("-", "").replace("_", "").isalnum():
        from jules_job_manager.domain.references import task_id_from

        wanted = task_id_from(wanted)
    task = store.task(wanted)
    if task is None:
        found = store.find_task_ids(wanted, limit=2)
        task = store.task(found[0]) if len(found) == 1 else None
    if task is None or args.cached:
        return task
    return task if task["backend"] == backend and is_fresh(task["seen_at"]) else None


async def fetch(app: App, reference: str, *, cached: bool, context: Context) -> JulesTask:
    """Return the task; from the store with `cached`, or with a warning when Jules is away."""
    from datetime import UTC, datetime

    from jules_job_manager.cli.output import age
    from jules_job_manager.errors import BackendConnectionError, TaskNotFoundError

    if cached:
        return await app.tasks_stored(reference)
    try:
        return await app.tasks.get_task(reference)
    except BackendConnectionError as exc:
        try:
            task = await app.tasks_stored(reference)
        except TaskNotFoundError:
            raise exc from None
        if task.seen_at is not None:
            old = age((datetime.now(UTC) - task.seen_at).total_seconds())
            context.note(f"warning: {exc} Shown as of {old} ago.")
        return task


def print_task(context: Context, task: Mapping[str, Any]) -> None:
    """Print the task: panels on a terminal, `Name: value` lines otherwise."""
    from jules_job_manager.domain.text import safe_text

    if context.is_terminal:
        _print_panels(context, task)
        return
    for name, value in facts(task):
        context.write(f"{name}: {safe_text(value)}")
    context.write(f"Source files: {len(task['source_files'])}")
    for file in task["source_files"]:
        context.write(f"  {safe_text(file['status'])}\t{safe_text(file['filename'])}")
    context.write(f"Messages: {len(task['chat_history'])}")
    for who, when, text in messages(task):
        context.write(f"  {when}\t{safe_text(who)}\t{safe_text(text.strip())}")


def facts(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of the head, in the order of ticket JJM-016."""
    from jules_job_manager.cli.output import local_time_of

    raw_state = f" ({task['raw_state']})" if task["raw_state"] else ""
    lines = [
        ("ID", task["id"]),
        ("Title", task["title"]),
        ("Repository", task["repository"] or "-"),
        ("Branch", task["branch"] or "-"),
        ("Status", task["status"] + raw_state),
        ("Created", local_time_of(task["created_at"])),
        ("Updated", local_time_of(task["updated_at"])),
        ("URL", task["url"] or "-"),
    ]
    pulls = [output for output in task["outputs"] if output["kind"] == "pull_request"]
    if pulls:
        lines.append(("Pull request", pulls[0]["url"]))
    if task["plan"] is not None:
        lines.append(("Plan", f"{len(task['plan']['steps'])} steps (jjm plan {task['id']})"))
    return lines


def messages(task: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return who, when and what of the last messages, oldest first."""
    from jules_job_manager.cli.output import local_time_of

    return [
        (message["type"], local_time_of(message["timestamp"]), message["content"])
        for message in task["chat_history"][-LAST_MESSAGES:]
    ]


def _print_panels(context: Context, task: Mapping[str, Any]) -> None:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from jules_job_manager.cli.output import STATUS_STYLES, console
    from jules_job_manager.domain.text import safe_text

    out = console(context)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts(task):
        style = STATUS_STYLES.get(task["status"], "") if name == "Status" else ""
        grid.add_row(Text(name, style="bold"), Text(safe_text(value), style=style))
    out.print(Panel(grid, title=Text(safe_text(task["title"]) or task["id"]), title_align="left"))
    if task["source_files"]:
        lines = [
            f"{FILE_MARKS.get(f['status'], '  ')} {safe_text(f['filename'])}"
            for f in task["source_files"]
        ]
        out.print(
            Panel(Text("\n".join(lines)), title=f"Source files ({len(lines)})", title_align="left")
        )
    if task["chat_history"]:
        body = Text()
        for who, when, text in messages(task):
            body.append(f"{when}  {safe_text(who)}\n", style="bold")
            body.append(safe_text(text, multiline=True).rstrip() + "\n")
        count = len(task["chat_history"])
        title = f"Last messages ({min(LAST_MESSAGES, count)} of {count})"
        out.print(Panel(body, title=title, title_align="left"))

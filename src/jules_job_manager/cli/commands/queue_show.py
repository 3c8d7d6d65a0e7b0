"""Show one job: its facts, files, checklist and prompt."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from jules_job_manager.adapters.storage.instant import InstantStore
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options
    from jules_job_manager.cli.queue_jobs import FIELDS

    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the job."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import FIELDS
    from jules_job_manager.domain.text import safe_text

    fields = output.json_fields(args, FIELDS)
    job = _read(context, args.key)
    if fields is not None:
        output.print_json(context, output.pick(job, fields), args.jq)
        return 0
    for name, value in _facts(job):
        if value:
            context.write(f"{name}: {safe_text(value)}")
    files = [
        f"{f['action']:8} {f['path']}" + (f"  {f['note']}" if f["note"] else "")
        for f in job["files"]
    ]
    _list(context, "Files", files)
    _list(context, "Checks", job["checks"])
    ticks = [
        f"[{'x' if item['checked'] else ' '}] {item['text']}"
        + (f"  (proved: {item['evidence']})" if item.get("evidence") else "")
        for item in job["checklist"]
    ]
    _list(context, "Checklist", ticks)
    _list(context, "Review notes", job["notes"])
    if job["prompt"]:
        context.write("Prompt:\n" + safe_text(job["prompt"], multiline=True))
    return 0


def _read(context: Context, key: str) -> dict[str, Any]:
    from jules_job_manager.cli.instant import instantly
    from jules_job_manager.cli.queue_jobs import FIELDS, read_jobs
    from jules_job_manager.domain.job_keys import find_job, matching_key

    def work(store: InstantStore) -> dict[str, Any] | None:
        exact = store.job(key, FIELDS)
        if exact is not None:
            return exact
        other = matching_key(store.job_keys(), key)
        return None if other is None else store.job(other, FIELDS)

    return instantly(context, work) or find_job(read_jobs(context), key).to_dict()


def _facts(job: Mapping[str, Any]) -> list[tuple[str, str]]:
    from jules_job_manager.cli.output import local_time_of

    def moment(name: str) -> str:
        return local_time_of(job[name]) if job[name] else ""

    return [
        ("Key", job["key"]),
        ("Title", job["title"]),
        ("Priority", job["priority"]),
        ("Status", job["status"] + (f" ({job['reason']})" if job["reason"] else "")),
        ("Depends on", ", ".join(job["depends_on"])),
        ("Estimate", job["estimate"]),
        ("Repository", job["repository"]),
        ("Base branch", job["base_branch"]),
        ("Branch", job["branch"]),
        ("Task", job["task_id"]),
        ("Merged as", job["merge_commit"]),
        ("Started", moment("started_at")),
        ("Finished", moment("finished_at")),
        ("Backlog", job["backlog"]),
    ]


def _list(context: Context, title: str, lines: Sequence[str]) -> None:
    from jules_job_manager.domain.text import safe_text

    if lines:
        context.write(f"{title}:")
        for line in lines:
            context.write(f"  {safe_text(line)}")

"""Show one job: its facts, files, checklist and prompt."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options
    from jules_job_manager.cli.queue_jobs import FIELDS

    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the job."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import FIELDS, find_job, read_jobs
    from jules_job_manager.domain.text import safe_text

    fields = output.json_fields(args, FIELDS)
    job = find_job(read_jobs(context), args.key)
    if fields is not None:
        output.print_json(context, output.pick(job.to_dict(), fields), args.jq)
        return 0
    for name, value in _facts(job):
        if value:
            context.write(f"{name}: {safe_text(value)}")
    _list(
        context,
        "Files",
        [f"{f.action:8} {f.path}" + (f"  {f.note}" if f.note else "") for f in job.files],
    )
    _list(context, "Checklist", [f"[{'x' if i.checked else ' '}] {i.text}" for i in job.checklist])
    _list(context, "Review notes", list(job.notes))
    if job.prompt:
        context.write("Prompt:\n" + safe_text(job.prompt, multiline=True))
    return 0


def _facts(job: Job) -> list[tuple[str, str]]:
    from jules_job_manager.cli.output import local_time

    return [
        ("Key", job.key),
        ("Title", job.title),
        ("Priority", job.priority.value),
        ("Status", job.status.value + (f" ({job.reason})" if job.reason else "")),
        ("Depends on", ", ".join(job.depends_on)),
        ("Estimate", job.estimate),
        ("Repository", job.repository),
        ("Base branch", job.base_branch),
        ("Branch", job.branch),
        ("Task", job.task_id),
        ("Merged as", job.merge_commit),
        ("Started", local_time(job.started_at) if job.started_at else ""),
        ("Finished", local_time(job.finished_at) if job.finished_at else ""),
        ("Backlog", job.backlog),
    ]


def _list(context: Context, title: str, lines: list[str]) -> None:
    from jules_job_manager.domain.text import safe_text

    if lines:
        context.write(f"{title}:")
        for line in lines:
            context.write(f"  {safe_text(line)}")

"""Count the jobs by status, and show what needs you and what comes next."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job

FIELDS = ("total", "counts", "needs_you", "next")
SHOWN = 10


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the counts."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import NO_JOBS, read_jobs

    fields = output.json_fields(args, FIELDS)
    jobs = read_jobs(context)
    summary = _summary(jobs)
    if fields is not None:
        output.print_json(context, output.pick(summary, fields), args.jq)
    elif not jobs:
        context.note(NO_JOBS)
    else:
        _print(context, jobs, summary)
    return 0


def _summary(jobs: Sequence[Job]) -> dict[str, Any]:
    from jules_job_manager.domain.graph import ready_keys
    from jules_job_manager.domain.job import JobStatus

    counts = {status.value: 0 for status in JobStatus}
    for job in jobs:
        counts[job.status.value] += 1
    yours = (JobStatus.NEEDS_YOU, JobStatus.FAILED)
    return {
        "total": len(jobs),
        "counts": counts,
        "needs_you": [job.key for job in jobs if job.status in yours],
        "next": list(ready_keys(jobs)),
    }


def _print(context: Context, jobs: Sequence[Job], summary: dict[str, Any]) -> None:
    from jules_job_manager.cli import output

    rows = [(name, str(count)) for name, count in summary["counts"].items() if count]
    output.print_table(
        context, ("STATUS", "JOBS"), [*rows, ("total", str(summary["total"]))], status_column=0
    )
    by_key = {job.key: job for job in jobs}
    _lines(context, "Needs you", [_line(by_key[key]) for key in summary["needs_you"]])
    _lines(context, "Next", [_line(by_key[key]) for key in summary["next"]])


def _line(job: Job) -> str:
    return f"{job.key}  {job.title}" + (f" ({job.reason})" if job.reason else "")


def _lines(context: Context, title: str, lines: list[str]) -> None:
    from jules_job_manager.domain.text import safe_text

    if not lines:
        return
    context.write(f"{title}:")
    for line in lines[:SHOWN]:
        context.write(f"  {safe_text(line)}")
    if len(lines) > SHOWN:
        context.write(f"  … and {len(lines) - SHOWN} more")

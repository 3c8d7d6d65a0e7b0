"""Count the jobs by status, and show what needs you and what comes next.

It also says whether the queue is paused, why and by whom, and which program runs it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from jules_job_manager.adapters.storage.instant import InstantStore
    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job

FIELDS = (
    "total", "counts", "needs_you", "next", "paused", "paused_by", "leader", "leader_until"
)  # fmt: skip
SHOWN = 10
# As `services.queue_look`, `queue_run` and `queue_summary` have them, which take long to import.
PAUSED_NOTE, PAUSED_BY_NOTE, LEASE_NAME, PATIENCE_SECONDS = (
    "queue.paused", "queue.paused_by", "queue", 10.0
)  # fmt: skip
STATUSES = (
    "draft", "blocked", "ready", "starting", "running", "needs_you", "reviewing", "merging", "done",
    "failed", "cancelled",
)  # fmt: skip
YOURS = ("needs_you", "failed")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the counts."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import NO_JOBS

    fields = output.json_fields(args, FIELDS)
    summary, lines = _read(context, None if fields is not None else SHOWN + 1)
    if fields is not None:
        output.print_json(context, output.pick(summary, fields), args.jq)
    elif not summary["total"]:
        context.note(NO_JOBS)
        _print_pace(context, summary)
    else:
        rows = [(name, str(count)) for name, count in summary["counts"].items() if count]
        rows.append(("total", str(summary["total"])))
        output.print_table(context, ("STATUS", "JOBS"), rows, status_column=0)
        _print_pace(context, summary)
        for title, name in (("Needs you", "needs_you"), ("Next", "next")):
            _print(context, title, summary[name], lines)
    return 0


def _read(context: Context, limit: int | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the summary, and a line for each of the jobs that are shown by name.

    At most `limit` jobs come next (None: all of them).
    """
    from jules_job_manager.cli.instant import instantly

    def work(store: InstantStore) -> tuple[dict[str, Any], dict[str, str]]:
        counts = {**dict.fromkeys(STATUSES, 0), **store.job_counts()}
        summary: dict[str, Any] = {
            "total": sum(counts.values()),
            "counts": counts,
            "needs_you": store.job_keys(YOURS),
            "next": store.startable_keys(limit),
            **_pace(store),
        }
        shown = [key for name in ("needs_you", "next") for key in summary[name][:SHOWN]]
        found = {key: store.job(key, ("key", "title", "reason")) for key in shown}
        return summary, {key: _line(job) for key, job in found.items() if job}

    return instantly(context, work) or _read_all(context, limit)


def _read_all(context: Context, limit: int | None) -> tuple[dict[str, Any], dict[str, str]]:
    from jules_job_manager.domain.graph import ready_keys

    async def work(app: App) -> tuple[Sequence[Job], dict[str, Any]]:
        return await app.store.jobs.list_jobs(), await app.queue_pace()

    jobs, pace = context.run(work)
    counts = dict.fromkeys(STATUSES, 0)
    for job in jobs:
        counts[job.status.value] += 1
    summary = {
        "total": len(jobs),
        "counts": counts,
        "needs_you": [job.key for job in jobs if job.status.value in YOURS],
        "next": list(ready_keys(jobs))[:limit],
        **pace,
    }
    return summary, {job.key: _line(job.to_dict()) for job in jobs}


def _pace(store: InstantStore) -> dict[str, Any]:
    """Return what `services.queue_summary.queue_pace` does."""
    from datetime import UTC, datetime, timedelta

    paused = store.note(PAUSED_NOTE) or ""
    by = (store.note(PAUSED_BY_NOTE) or "") if paused else ""
    owner, until = store.lease(LEASE_NAME) or ("", "")
    if owner:
        late = datetime.now(UTC) - datetime.fromisoformat(until)
        owner = owner if late <= timedelta(seconds=PATIENCE_SECONDS) else ""
    return {
        "paused": paused, "paused_by": by, "leader": owner, "leader_until": until if owner else None
    }  # fmt: skip


def _print_pace(context: Context, summary: Mapping[str, Any]) -> None:
    from jules_job_manager.cli.output import local_time_of
    from jules_job_manager.domain.text import safe_text

    if summary["paused"]:
        by, reason = summary["paused_by"], summary["paused"]
        who = f"Paused by {by}" if by else "Paused"
        said = who if reason == f"by {by}" else f"{who}: {reason}"
        context.write(f"{safe_text(said)}. Go on with: jjm queue resume")
    if summary["leader"]:
        until = local_time_of(summary["leader_until"])
        context.write(safe_text(f"Run by {summary['leader']}, whose lease lasts until {until}."))


def _line(job: Mapping[str, Any]) -> str:
    return f"{job['key']}  {job['title']}" + (f" ({job['reason']})" if job["reason"] else "")


def _print(context: Context, title: str, keys: Sequence[str], lines: Mapping[str, str]) -> None:
    from jules_job_manager.domain.text import safe_text

    if not keys:
        return
    context.write(f"{title}:")
    for key in keys[:SHOWN]:
        context.write(f"  {safe_text(lines[key])}")
    if len(keys) > SHOWN:
        context.write("  … and more")

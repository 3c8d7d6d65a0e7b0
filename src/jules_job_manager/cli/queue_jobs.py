"""What the queue commands share: reading jobs, and finding one by its key."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job

FIELDS = (
    "key", "title", "priority", "status", "reason", "depends_on", "branch", "files", "checklist",
    "checks", "estimate", "prompt", "task_id", "notes", "backlog", "position", "repository", "base_branch",
    "merge_commit", "started_at", "finished_at", "queued_at", "held", "skipped", "pinned",
    "placed_rank", "place", "shares_files", "not_before", "schedule", "occurrence", "best_of",
)  # fmt: skip
NO_JOBS = "The queue has no jobs. `jjm queue import FILE` reads a backlog."


def read_jobs(
    context: Context, *, status: str | None = None, limit: int | None = None
) -> Sequence[Job]:
    """Return jobs by document and place."""
    from jules_job_manager.domain.job import JobStatus
    from jules_job_manager.ports.job_store import JobQuery

    query = JobQuery(status=JobStatus(status) if status else None, limit=limit)

    async def work(app: App) -> Sequence[Job]:
        return await app.store.jobs.list_jobs(query)

    return context.run(work)


def why(job: Mapping[str, Any]) -> str:
    """Return what a person wants to know beside the status."""
    after = job["depends_on"]
    return job["reason"] or (f"after {', '.join(after)}" if after else "")

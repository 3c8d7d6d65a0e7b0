"""What the queue commands share: reading jobs, and finding one by its key."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job
    from jules_job_manager.services.backlogs import BacklogService

FIELDS = (
    "key", "title", "priority", "status", "reason", "depends_on", "branch", "files", "checklist",
    "estimate", "prompt", "task_id", "notes", "backlog", "position", "repository", "base_branch",
    "merge_commit", "started_at", "finished_at",
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


def find_job(jobs: Sequence[Job], text: str) -> Job:
    """Return the job with this key; upper and lower case do not matter.

    Raises:
        InvalidInputError: there is none.
    """
    from jules_job_manager.errors import InvalidInputError

    wanted = " ".join(text.split()).casefold()
    for job in jobs:
        if job.key.casefold() == wanted:
            return job
    raise InvalidInputError(
        f"There is no job {text!r} in the queue.", hint="`jjm queue list` shows the keys."
    )


def backlog_service(app: App) -> BacklogService:
    """Return the service that reads and writes backlog documents."""
    from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
    from jules_job_manager.services.backlogs import BacklogService

    return BacklogService(
        documents=MarkdownBacklogDocuments(), jobs=app.store.jobs, clock=app.clock
    )


def why(job: Job) -> str:
    """Return what a person wants to know beside the status."""
    return job.reason or (f"after {', '.join(job.depends_on)}" if job.depends_on else "")

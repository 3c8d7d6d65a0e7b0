"""Let a job start before all jobs that are not pinned, whatever their priority."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    parser.add_argument("--off", action="store_true", help="take the pin away")


def run(args: Namespace, context: Context) -> int:
    """Pin the job."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> Job:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        return await app.queue_admin.pin(job, pinned=not args.off)

    job = context.run(work)
    context.write(safe_text(f"{job.key} is {'pinned' if job.pinned else 'not pinned'}."))
    return 0

"""Keep a job from starting until it is released. A task that runs goes on."""

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
    parser.add_argument(
        "--reason", metavar="TEXT", help="why, shown wherever the job is shown (by and your name)"
    )


def run(args: Namespace, context: Context) -> int:
    """Hold the job."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> Job:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        return await app.queue_admin.hold(job, args.reason)

    job = context.run(work)
    context.write(safe_text(f"{job.key} is held: {job.held}"))
    return 0

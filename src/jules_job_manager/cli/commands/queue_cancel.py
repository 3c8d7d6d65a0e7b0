"""Take a job out of the queue and end its task.

The task at Jules is archived, which also stops it; --delete deletes it for good, --keep-task
leaves it alone. What it has produced stays readable: `jjm diff`, `jjm log`, `jjm recover`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Attempt


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--keep-task", action="store_true", help="leave the task at Jules alone")
    what.add_argument("--delete", action="store_true", help="delete the task at Jules for good")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def run(args: Namespace, context: Context) -> int:
    """Cancel the job."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.services.queue_admin import require_open

    async def work(app: App) -> Sequence[str]:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        if args.dry_run:
            require_open(job)
            live = await app.store.jobs.list_attempts(job.key, live_only=True)
            return [
                f"would cancel {job.key}",
                *(f"would {_verb(args)} task {a.task_id}" for a in live if a.task_id),
            ]
        job, attempts = await app.queue_admin.cancel(job)
        return [f"{job.key} is cancelled.", *[await _end(app, args, a) for a in attempts]]

    for line in context.run(work):
        context.write(safe_text(line))
    return 0


def _verb(args: Namespace) -> str:
    return "leave" if args.keep_task else "delete" if args.delete else "archive"


async def _end(app: App, args: Namespace, attempt: Attempt) -> str:
    """Do to the task what was asked for; return what came of it, in words."""
    from jules_job_manager.services.ending import end_task

    what = "keep" if args.keep_task else "delete" if args.delete else "archive"
    account = None if what == "keep" else app.accounts().get(attempt.account)
    return await end_task(None if account is None else account.tasks, attempt.task_id, what)

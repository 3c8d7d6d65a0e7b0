"""Give a job the task that already works on it.

For a job that its document calls in progress, or one that you gave to Jules yourself: the task
is watched, its delivery checked and merged, as if `jjm queue run` had created it.
"""

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
    parser.add_argument("task", metavar="TASK", help="the task's id, or its address")


def run(args: Namespace, context: Context) -> int:
    """Adopt the task."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> Job:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        task = await app.tasks.get_task(args.task)
        backends = {backend: name for name, (backend, _) in app.account_choices().items()}
        account = backends.get(task.backend, "default")
        return await app.interventions.adopt(job, task.id, account=account)

    job = context.run(work)
    context.write(safe_text(f"{job.key} goes on with task {job.task_id}: jjm queue run"))
    return 0

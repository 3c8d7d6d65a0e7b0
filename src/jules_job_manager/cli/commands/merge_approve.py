"""Let a delivery that passed be merged, where a rule leaves that to a person.

The approval is of the commit that was reviewed: what Jules delivers after it is judged anew. The
queue merges it at its next look, once every check passes on the base as it is then.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job
    from jules_job_manager.domain.review import Review


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")


def run(args: Namespace, context: Context) -> int:
    """Approve the merge."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> tuple[Job, Review]:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        return job, await app.interventions.approve_merge(job)

    job, review = context.run(work)
    context.write(
        safe_text(
            f"{job.key}: {review.delivered_commit[:12]} may be merged "
            f"({review.changed_files} files, {review.changed_lines} lines)."
        )
    )
    return 0

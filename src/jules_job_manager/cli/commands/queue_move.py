"""Give a waiting job another place in the line. It keeps it whatever its priority says."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.queue_admin import Moved


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--top", action="store_true", help="before all others")
    place.add_argument("--bottom", action="store_true", help="after all others")
    place.add_argument("--before", metavar="KEY", help="just before this job")
    place.add_argument("--after", metavar="KEY", help="just after this job")


def run(args: Namespace, context: Context) -> int:
    """Move the job and print the new order."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    beside = args.before or args.after
    to = next(word for word in ("top", "bottom", "before", "after") if getattr(args, word))

    async def work(app: App) -> Moved:
        jobs = await app.store.jobs.list_jobs()
        other = find_job(jobs, beside) if beside else None
        return await app.queue_admin.move(find_job(jobs, args.key), to=to, other=other)

    for place, key in enumerate(context.run(work).keys, start=1):
        context.write(f"{place}\t{safe_text(key)}")
    return 0

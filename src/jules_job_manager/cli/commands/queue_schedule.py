"""Say when a job runs, how often, and how many attempts are made side by side.

jjm queue schedule 'Task 7' --at 2026-12-01T06:00
jjm queue schedule 'Task 7' --cron '0 3 * * 1'      every Monday at 03:00 UTC
jjm queue schedule 'Task 7' --best-of 3             three tasks, the best is kept
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    parser.add_argument(
        "--at", metavar="TIME", help="do not start before this time (local, or with Z)"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--cron", metavar="FIELDS", help="run again and again, by five cron fields in UTC"
    )
    again.add_argument("--once", action="store_true", help="end a --cron; the job runs once more")
    parser.add_argument("--best-of", type=int, metavar="N", help="make N attempts, keep the best")
    parser.add_argument(
        "--share-files", choices=("yes", "no"), help="run beside jobs that touch the same files"
    )


def run(args: Namespace, context: Context) -> int:
    """Change the job."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.errors import InvalidInputError

    given = (args.at, args.cron, args.once or None, args.best_of, args.share_files)
    if all(value is None for value in given):
        raise InvalidInputError("Nothing is to be changed.", hint="Say --at, --cron or --best-of.")
    if args.cron is not None and not args.cron.strip():
        raise InvalidInputError("The schedule is empty.", hint="End one with: --once")
    at = _time(args.at) if args.at else None

    async def work(app: App) -> Job:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        return await app.queue_admin.plan(
            job, not_before=at, schedule="" if args.once else args.cron, best_of=args.best_of,
            shares_files=None if args.share_files is None else args.share_files == "yes",
        )  # fmt: skip

    context.write(safe_text(_told(context.run(work))))
    return 0


def _time(text: str) -> datetime:
    """Return the time that is meant; without a zone, local time.

    Raises:
        InvalidInputError: it is none.
    """
    from datetime import UTC, datetime

    from jules_job_manager.errors import InvalidInputError

    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InvalidInputError(
            f"{text!r} is not a time.", hint="Write it as 2026-12-01T06:00 or 2026-12-01T06:00Z."
        ) from exc


def _told(job: Job) -> str:
    from jules_job_manager.cli.output import local_time

    said = []
    if job.not_before is not None:
        said.append(f"does not start before {local_time(job.not_before)}")
    if job.schedule:
        said.append(f"runs by the schedule {job.schedule} (UTC)")
    if job.best_of > 1:
        said.append(f"gets {job.best_of} attempts, of which the best is kept")
    if job.shares_files:
        said.append("may run beside jobs that touch the same files")
    last = said.pop() if said else "runs once, when its turn comes"
    return f"{job.key} {', '.join(said)}{' and ' * bool(said)}{last}."

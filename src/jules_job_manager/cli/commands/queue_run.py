"""Work through the queue until nothing can move without you.

Ready jobs are given to Jules in dependency and priority order; plans are approved by policy or
wait for you; deliveries are merged into the base in a scratch worktree, checked, and pushed, or
sent back to the same task. Stop it with Ctrl-C at any time and start it again: it goes on.

On a terminal a live board shows every job, and a plan that waits for you is shown and decided
with one key: y approves, n declines, s leaves it for later. Piped, each thing that happens is a
line; with --json, a JSON object.

Webhooks are delivered meanwhile, unless a service or a worker does it; what is due at the end is
sent for ten seconds at most, and the rest waits for the next program.

Through a service this starts nothing: the service's worker runs the queue, and this shows what
happens there until nothing can move. The board and its keys are the same.

Exit code 0: every job is done. 1: a job failed. 8: something waits for you.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job
    from jules_job_manager.settings.model import Settings

_DELIVER_SECONDS = 10.0
"""Longest time for which webhooks are delivered when nothing else is to do any more."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import add_checks, add_remotes

    parser.add_argument("--repo", metavar="OWNER/NAME", help="repository of jobs that name none")
    parser.add_argument("--base", metavar="BRANCH", help="branch to start from and merge into")
    add_checks(parser)
    parser.add_argument("--concurrency", type=int, metavar="N", help="most tasks at work at once")
    parser.add_argument("--approve", choices=("ask", "always", "policy"), help="who approves plans")
    parser.add_argument("--answer", metavar="TEXT", help="what to answer when Jules asks something")
    add_remotes(parser)
    parser.add_argument("--interval", type=float, metavar="SECONDS", help="time between two looks")
    parser.add_argument(
        "--max-rounds", type=int, metavar="N", help="most times one task is sent back"
    )
    parser.add_argument(
        "--no-write-back", action="store_true", help="leave the backlog documents alone"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be started, start nothing"
    )
    parser.add_argument(
        "--watch", action="store_true",
        help="go on when nothing can move: wait for you, for new jobs and for their time",
    )  # fmt: skip
    parser.add_argument(
        "--no-input", action="store_true", help="never ask here; what needs you waits"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line for each thing that happens"
    )


def run(args: Namespace, context: Context) -> int:
    """Run the queue."""
    from jules_job_manager.cli.exit_codes import PENDING

    if context.server:
        from jules_job_manager.cli.queue_follow import follow_queue

        return follow_queue(context, args)
    settings = context.settings(flags(args))
    remotes = {**settings.remotes, **parsed_remotes(args.remote)}
    try:
        return context.run(lambda app: run_queue(app, context, settings, remotes, args))
    except KeyboardInterrupt:
        context.was_stopped = True
        context.note("Stopped. Nothing is lost: `jjm queue run` goes on from here.")
        return PENDING


def flags(args: Namespace) -> dict[str, object]:
    """Return the options as settings."""
    return {
        "queue.repository": args.repo,
        "queue.base_branch": args.base,
        "queue.concurrency": args.concurrency,
        "queue.approve": args.approve,
        "queue.answer": args.answer,
        "queue.poll_interval_seconds": args.interval,
        "queue.max_feedback_rounds": args.max_rounds,
        "queue.write_back": False if args.no_write_back else None,
        "review.checks": args.check,
    }


def parsed_remotes(texts: Sequence[str]) -> dict[str, str]:
    """Return `owner/name` to git URL.

    Raises:
        InvalidInputError: a text is not written as OWNER/NAME=URL.
    """
    from pathlib import Path

    from jules_job_manager.domain.references import repository_from
    from jules_job_manager.errors import InvalidInputError

    found = {}
    for text in texts:
        name, equals, url = text.partition("=")
        if not equals or not url:
            raise InvalidInputError(f"--remote {text!r} must be written as OWNER/NAME=URL.")
        is_path = "://" not in url and ":" not in url.split("/", 1)[0]
        found[repository_from(name)] = str(Path(url).expanduser().resolve()) if is_path else url
    return found


async def run_queue(
    app: App, context: Context, settings: Settings, remotes: dict[str, str], args: Namespace
) -> int:
    """Run the queue with the parts of `app`; return the exit code."""
    from jules_job_manager.bootstrap.live import delivering
    from jules_job_manager.bootstrap.queue import queue_worker
    from jules_job_manager.cli.queue_watch import watching
    from jules_job_manager.cli.stopping import stopped_by_signals

    jobs = await _prepared(app, settings)
    if args.dry_run:
        return await _dry_run(app, context, jobs)
    await prepare_checks(context, settings)
    app.use_remotes(remotes)
    slots, asks = settings.queue.concurrency, not args.no_input
    with watching(context, slots=slots, as_json=args.json, asks=asks) as watch:
        worker = queue_worker(
            app, settings, remotes, report=watch.report, show=watch.show, desk=watch.desk,
            watch=args.watch,
        )  # fmt: skip
        with stopped_by_signals(context, worker.stop) as stopped:
            async with delivering(app, finish_seconds=_DELIVER_SECONDS):
                finished = await worker.run_queue()
                if stopped():
                    raise KeyboardInterrupt
    return summary(context, finished)


async def prepare_checks(context: Context, settings: Settings) -> None:
    """Warn of checks that prove nothing or run without a sandbox.

    Raises:
        ConfigurationError: the configured sandbox cannot be used here.
    """
    from jules_job_manager.bootstrap.sandbox import check_warnings

    for warning in await check_warnings(settings):
        context.note(f"warning: {warning}")


async def _prepared(app: App, settings: Settings) -> list[Job]:
    """Fill in the repository and base of jobs that name none.

    Raises:
        InvalidInputError: there are no jobs, or no repository is known for one that may run.
    """
    from dataclasses import replace

    from jules_job_manager.domain.job import JobStatus
    from jules_job_manager.domain.references import repository_from
    from jules_job_manager.errors import InvalidInputError

    jobs = list(await app.store.jobs.list_jobs())
    if not jobs:
        raise InvalidInputError(
            "The queue has no jobs.", hint="Read a backlog with: jjm queue import FILE"
        )
    given = repository_from(settings.queue.repository) if settings.queue.repository else ""
    for index, job in enumerate(jobs):
        if job.status.is_final or (job.repository and job.base_branch):
            continue
        base = job.base_branch or settings.queue.base_branch
        jobs[index] = replace(job, repository=job.repository or given, base_branch=base)
        await app.store.jobs.swap_jobs({job.key: job}, [jobs[index]])
    homeless = [
        j.key for j in jobs if not j.repository and j.status in {JobStatus.READY, JobStatus.BLOCKED}
    ]
    if homeless:
        raise InvalidInputError(
            f"No repository is known for {homeless[0]}.", hint="Give it with --repo OWNER/NAME."
        )
    return jobs


async def _dry_run(app: App, context: Context, jobs: Sequence[Job]) -> int:
    """Say what would be started, as far as the store knows: neither Jules nor git is asked."""
    from jules_job_manager.bootstrap.queue import queue_policy
    from jules_job_manager.cli.queue_outlook import print_outlook
    from jules_job_manager.services.outlook import would_do
    from jules_job_manager.services.queue_view import stored_snapshot

    known = await stored_snapshot(app.store, app.account_choices(), app.clock)
    said = would_do(known, queue_policy(app.settings), app.clock.now(), jobs)
    await print_outlook(app, context, said)
    return 0


def summary(context: Context, jobs: Sequence[Job]) -> int:
    """Say how the jobs stand when nothing can move any more; return the exit code."""
    from jules_job_manager.cli.exit_codes import FAILED, OK, PENDING
    from jules_job_manager.domain.job import JobStatus

    counts: dict[str, int] = {}
    for job in jobs:
        counts[job.status.value] = counts.get(job.status.value, 0) + 1
    context.note(
        "Nothing more can move: " + ", ".join(f"{n} {name}" for name, n in counts.items()) + "."
    )
    for job in jobs:
        if job.status in {JobStatus.NEEDS_YOU, JobStatus.FAILED}:
            context.note(f"  {job.key} {job.status.value}: {job.reason}")
    if counts.get("failed"):
        return FAILED
    return OK if set(counts) <= {"done", "draft", "cancelled"} else PENDING

"""`jjm queue run` through a service: its worker runs the queue, and this shows what happens."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.client.app import RemoteApp
    from jules_job_manager.services.outlook import Outlook


_FOOT = "Ctrl-C stops following; the service goes on."


def follow_queue(context: Context, args: Namespace) -> int:
    """Follow the queue of the service; return the exit code that a run here would have."""
    from jules_job_manager.cli.arguments import refuse_options
    from jules_job_manager.cli.commands.queue_run import flags
    from jules_job_manager.cli.exit_codes import PENDING

    given = {name: value for name, value in flags(args).items() if value is not None}
    options = {
        "queue.repository": "--repo", "queue.base_branch": "--base", "review.checks": "--check",
        "queue.concurrency": "--concurrency", "queue.approve": "--approve",
        "queue.answer": "--answer", "queue.poll_interval_seconds": "--interval",
        "queue.max_feedback_rounds": "--max-rounds", "queue.write_back": "--no-write-back",
    }  # fmt: skip
    refuse_options(
        context,
        {"--remote": args.remote, **{options[name]: True for name in given}},
    )
    if args.dry_run:
        return _dry_run(context)
    try:
        return context.run(lambda app: _follow(app, context, args))
    except KeyboardInterrupt:
        context.was_stopped = True
        context.note("Stopped following. The service goes on.")
        return PENDING


def _dry_run(context: Context) -> int:
    """Say what would be started, as far as the service knows."""
    from jules_job_manager.cli.queue_outlook import print_outlook

    async def work(app: App) -> None:
        await print_outlook(app, context, (await app.outlook()).would)

    context.run(work)
    return 0


async def _follow(app: App, context: Context, args: Namespace) -> int:
    from jules_job_manager.cli.commands.queue_run import summary
    from jules_job_manager.cli.queue_watch import shows_board, watching
    from jules_job_manager.cli.stopping import stopped_by_signals
    from jules_job_manager.client.app import RemoteApp
    from jules_job_manager.client.queue_follow import Ended, QueueFollow
    from jules_job_manager.errors import InvalidInputError

    assert isinstance(app, RemoteApp)
    if not await app.store.jobs.list_jobs():
        raise InvalidInputError(
            "The queue has no jobs.", hint="Read a backlog with: jjm queue import FILE"
        )
    is_board = not args.json and shows_board(context)
    board = await app.board() if is_board else None
    if not is_board:
        context.note(_beginning(await app.outlook(), watch=args.watch))
    with watching(
        context, slots=board.slots if board else 0, as_json=args.json, asks=not args.no_input,
        foot=_FOOT,
    ) as watch:  # fmt: skip
        if board is not None:
            watch.show(board.snapshot)
        follow = QueueFollow(
            app, report=watch.report, show=watch.show if is_board else None, desk=watch.desk,
            watch=args.watch,
        )  # fmt: skip
        with stopped_by_signals(context, follow.stop) as stopped:
            ended = await follow.run()
    if stopped():
        raise KeyboardInterrupt
    jobs = await app.store.jobs.list_jobs()
    if ended is Ended.NO_WORKER and any(not job.status.is_final for job in jobs):
        context.note(f"warning: {await _why_alone(app)}")
    return summary(context, jobs)


def _beginning(now: Outlook, *, watch: bool) -> str:
    """Return what is followed, and what is waited for when nothing moves."""
    from jules_job_manager.client.queue_follow import NO_WORKER_SECONDS
    from jules_job_manager.domain.text import safe_text

    if not now.leader:
        most = "" if watch else f" for up to {NO_WORKER_SECONDS:.0f} s"
        return f"No worker runs the service's queue at the moment; waiting for one{most}."
    said = f"Following the service's worker, {safe_text(now.leader)}."
    if now.may_move:
        return said
    most = "." if watch else f" for up to {now.settles_seconds:.0f} s, until it has looked again."
    return f"{said} Nothing can move at the moment; waiting{most}"


async def _why_alone(app: RemoteApp) -> str:
    problem = (await app.operations.get_service())["worker_problem"]
    if problem:
        return f"The service's worker does not work: {problem}"
    return (
        "No worker runs this queue, so nothing moves. Set server.worker to true where the service "
        "runs, or start `jjm worker` beside it."
    )

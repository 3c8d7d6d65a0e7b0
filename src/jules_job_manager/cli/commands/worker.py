"""Run the queue together with other workers: one leads, all review, and another takes over.

Start it on any number of machines against one PostgreSQL (settings, or DATABASE_URL with
JJM_STORAGE__BACKEND=postgresql). It runs until it is stopped; the first Ctrl-C lets what is in
hand be finished, the second does not. When the leader dies, another takes over within half a
minute. Webhooks are delivered by one worker, or by `jjm serve`. With `metrics.port` it answers
/metrics there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from contextlib import AbstractAsyncContextManager

    from jules_job_manager.bootstrap import App
    from jules_job_manager.bootstrap.operations import Operations
    from jules_job_manager.cli.context import Context
    from jules_job_manager.settings.model import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import add_checks, add_remotes

    add_checks(parser)
    add_remotes(parser)
    parser.add_argument("--approve", choices=("ask", "always", "policy"), help="who approves plans")
    parser.add_argument("--interval", type=float, metavar="SECONDS", help="time between two looks")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: Namespace, context: Context) -> int:
    """Work until stopped."""
    from jules_job_manager.cli.commands.queue_run import parsed_remotes

    settings = context.settings(
        {
            "queue.approve": args.approve,
            "queue.poll_interval_seconds": args.interval,
            "review.checks": args.check,
        }
    )
    remotes = {**settings.remotes, **parsed_remotes(args.remote)}
    try:
        context.run(
            lambda app: _work(app, context, settings, remotes, as_json=args.json), for_others=True
        )
    except KeyboardInterrupt:
        context.note("Stopped at once. Nothing is lost: another worker goes on.")
    return 0


async def _work(
    app: App, context: Context, settings: Settings, remotes: dict[str, str], *, as_json: bool
) -> None:
    from jules_job_manager.bootstrap.live import delivering
    from jules_job_manager.bootstrap.queue import queue_worker
    from jules_job_manager.cli.commands.queue_run import prepare_checks
    from jules_job_manager.cli.queue_watch import LineWatch
    from jules_job_manager.cli.stopping import stopped_by_signals

    await prepare_checks(context, settings)
    app.use_remotes(remotes)
    watch = LineWatch(context, as_json=as_json)
    operations = _operations(app, settings)
    meter = None if operations is None else operations.meter
    async with _serving(operations, settings):
        worker = queue_worker(app, settings, remotes, report=watch.report, watch=True)
        with stopped_by_signals(context, worker.stop):
            async with delivering(app, meter=meter):
                await worker.stand_by()


def _operations(app: App, settings: Settings) -> Operations | None:
    """Return what measures, where a port for metrics is configured."""
    if not (settings.metrics.enabled and settings.metrics.port):
        return None
    from jules_job_manager.bootstrap.operations import operations_of

    trace_id = None if app.tracer is None else app.tracer.trace_id
    return operations_of(app, settings, trace_id=trace_id)


def _serving(
    operations: Operations | None, settings: Settings
) -> AbstractAsyncContextManager[None]:
    """Serve metrics on a port of their own while the block runs, if there are any."""
    if operations is None:
        from contextlib import nullcontext

        return nullcontext()
    from jules_job_manager.web.operations import operated

    return operated(operations, settings.metrics)

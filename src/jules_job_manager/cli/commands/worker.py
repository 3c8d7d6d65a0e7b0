"""Run the queue together with other workers: one leads, all review, and another takes over.

Start it on any number of machines against one PostgreSQL (settings, or DATABASE_URL with
JJM_STORAGE__BACKEND=postgresql). It runs until it is stopped; the first Ctrl-C lets what is in
hand be finished, the second does not; SIGHUP reads the configuration again. When the leader dies,
another takes over within half a minute. Webhooks are delivered by one worker, or by `jjm serve`.
With `metrics.port` it answers /metrics there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from jules_job_manager.bootstrap import App
    from jules_job_manager.bootstrap.operations import Operations
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.queue_state import Progress
    from jules_job_manager.services.worker import Worker
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
    from dataclasses import replace

    from jules_job_manager.cli.commands.queue_run import parsed_remotes

    flags = {
        "queue.approve": args.approve,
        "queue.poll_interval_seconds": args.interval,
        "review.checks": args.check,
    }
    settings = context.settings(flags)
    if settings.metrics.port:
        from jules_job_manager.web.metrics import require_safe_metrics

        require_safe_metrics(settings.metrics)
    remotes = parsed_remotes(args.remote)
    context.use(replace(settings, remotes={**settings.remotes, **remotes}))
    load = context.rereading(flags, remotes)
    try:
        context.run(lambda app: _work(app, context, load, as_json=args.json), for_others=True)
    except KeyboardInterrupt:
        context.note("Stopped at once. Nothing is lost: another worker goes on.")
    return 0


async def _work(app: App, context: Context, load: Callable[[], Settings], *, as_json: bool) -> None:
    import asyncio

    from jules_job_manager.bootstrap.live import delivering
    from jules_job_manager.bootstrap.settings_watch import SettingsWatch
    from jules_job_manager.cli.queue_watch import LineWatch
    from jules_job_manager.cli.stopping import stopped_by_signals, woken_by_hangup

    lines = LineWatch(context, as_json=as_json)
    watch = SettingsWatch(
        settings=app.settings, load=load, secrets=app.secrets, clock=app.clock, say=context.note
    )
    operations = _operations(app, app.settings)
    meter = None if operations is None else operations.meter
    async with _serving(operations, app.settings):
        work = _Work(app, context, lines.report)
        await work.prepare()
        watch.subscribe(work.use)
        with stopped_by_signals(context, work.stop), woken_by_hangup(watch.wake):
            watching = asyncio.create_task(watch.run(), name="settings")
            try:
                async with delivering(app, meter=meter):
                    await work.run()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)


class _Work:
    """One worker after the other, each with the settings that were read last."""

    def __init__(self, app: App, context: Context, report: Callable[[Progress], None]) -> None:
        self._app = app
        self._context = context
        self._report = report
        self._worker: Worker | None = None
        self._next: Settings | None = None
        self._is_stopping = False

    async def prepare(self) -> None:
        """Make the first worker.

        Raises:
            ConfigurationError: the settings cannot be used.
        """
        self._worker = await self._made()

    def stop(self) -> None:
        """Finish what is in hand, then end."""
        self._is_stopping = True
        if self._worker is not None:
            self._worker.stop()

    async def use(self, settings: Settings) -> None:
        """Go on with other settings once what is in hand is finished."""
        self._next = settings
        if self._worker is not None:
            self._worker.stop()

    async def run(self) -> None:
        """Work until stopped. Call `prepare` first."""
        while self._worker is not None:
            await self._worker.stand_by()
            self._worker = None
            if self._next is not None and not self._is_stopping:
                self._worker = await self._replaced()

    async def _replaced(self) -> Worker:
        """Return a worker with the next settings, or as before where these cannot be used."""
        from jules_job_manager.errors import ConfigurationError

        before = self._app.settings
        while self._next is not None:
            settings, self._next = self._next, None
            await self._app.use_settings(settings)
            try:
                made = await self._made()
            except ConfigurationError as exc:
                self._context.note(f"warning: the worker goes on as before: {exc}")
                await self._app.use_settings(before)
                made = await self._made()
        if self._is_stopping:
            made.stop()
        return made

    async def _made(self) -> Worker:
        from jules_job_manager.bootstrap.queue import queue_worker
        from jules_job_manager.cli.commands.queue_run import prepare_checks

        settings = self._app.settings
        await prepare_checks(self._context, settings)
        return queue_worker(
            self._app, settings, dict(settings.remotes), report=self._report, watch=True
        )


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

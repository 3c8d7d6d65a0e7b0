"""What `jjm serve` is made of, and how its worker is kept going."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from jules_job_manager.bootstrap.access import audit_of, save_first_admin, tidy
from jules_job_manager.bootstrap.live import LiveService, live_service
from jules_job_manager.bootstrap.operations import Operations, operations_of
from jules_job_manager.bootstrap.queue import queue_worker
from jules_job_manager.bootstrap.sandbox import check_warnings
from jules_job_manager.bootstrap.settings_watch import SettingsWatch
from jules_job_manager.domain.health import Found, HealthStatus
from jules_job_manager.errors import ConfigurationError, JulesManagerError
from jules_job_manager.services.cached_reader import CachedTaskReader
from jules_job_manager.services.health import HealthCheck
from jules_job_manager.services.repeated_reviews import RepeatedReviews

if TYPE_CHECKING:
    from jules_job_manager.adapters.tracing import OpenTelemetryTracer
    from jules_job_manager.bootstrap import App
    from jules_job_manager.services.queue_state import Progress
    from jules_job_manager.services.worker import Worker
    from jules_job_manager.settings.model import Settings

_LOG = logging.getLogger(__name__)
TIDY_SECONDS = 3600.0
"""Time between two rounds of forgetting what expired."""
VERIFY_EVERY = timedelta(days=1)
"""Time between two looks at the whole chain of the audit log."""
AGAIN_SECONDS = 5.0
"""After a worker ended with an error, another begins so much later."""
STEADY_SECONDS = 30.0
"""A worker that has gone on for so long after a problem works again."""


@dataclass(kw_only=True)
class Service:
    """The parts that routes use. There is one for a process."""

    app: App
    started_at: datetime
    has_worker: bool = False
    """Whether this process itself runs the queue."""
    operations: Operations
    """Metrics and health."""
    events: LiveService
    """Live events, webhooks and the cache."""
    reviews: RepeatedReviews
    """Reviews that people ask for again."""
    watch: SettingsWatch
    """Reads the settings again."""
    say: Callable[[str], None]
    """Told what a person must know of the worker."""
    worker_problem: str = ""
    """Why its worker does not work; empty: it does, or there is none."""
    _told: str = ""
    _warned: list[str] = field(default_factory=list)
    _worker: Worker | None = None
    _task: asyncio.Task[None] | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _one_reload: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the worker going inside of this, if the service has one."""
        if self.has_worker:
            self._task = asyncio.create_task(self._keep_working(), name="queue worker")
        beside = [
            asyncio.create_task(self._keep_tidy(), name="tidying"),
            asyncio.create_task(self.watch.run(), name="settings"),
        ]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            async with self._one_reload:
                await self._end_worker()

    @property
    def tracer(self) -> OpenTelemetryTracer | None:
        """What records traces; None: nothing does."""
        tracer = self.app.tracer
        return cast("OpenTelemetryTracer | None", tracer)

    async def look_at_worker(self) -> Found:
        """Say, as a check of health, whether the service's own worker works."""
        if self.worker_problem:
            return Found(status=HealthStatus.DEGRADED, message=self.worker_problem)
        said = "The service runs the queue itself." if self.has_worker else "Workers run apart."
        return Found(status=HealthStatus.HEALTHY, message=said)

    async def look_at_live(self) -> Found:
        """Say, as a check of health, whether events reach those who follow them in time."""
        known = self.events.live.health()
        meter = self.operations.meter
        meter.put("jules_live_clients", float(known.followers))
        meter.put("jules_bus_connected", float(not known.bus.degraded))
        if known.log_trouble:
            return Found(status=HealthStatus.UNHEALTHY, message=known.log_trouble)
        if known.bus.degraded:
            return Found(status=HealthStatus.DEGRADED, message=known.bus.detail)
        return Found(message=f"{known.followers} follow, over the {known.bus.name} bus.")

    async def look_at_cache(self) -> Found:
        """Say, as a check of health, whether what is kept for readers can be read and written."""
        if trouble := await self.events.tasks.look():
            return Found(status=HealthStatus.DEGRADED, message=trouble)
        counts = self.events.tasks.counts
        return Found(message=f"The cache answers; {counts.hits} hits, {counts.misses} misses.")

    async def reload(self, settings: Settings) -> None:
        """Go on with other settings: the worker finishes what is in hand and begins with them.

        What cannot change while it runs stays as it was; see `settings.restarting`.
        """
        async with self._one_reload:
            is_working = self._task is not None
            await self._end_worker()
            self._stopping.clear()
            await self.app.use_settings(settings)
            if is_working:
                self._task = asyncio.create_task(self._keep_working(), name="queue worker")

    async def _keep_tidy(self) -> None:
        verified: datetime | None = None
        while True:
            now = self.app.clock.now()
            try:
                await tidy(self.app.store, self.app.settings, self.app.clock)
                if verified is None or now - verified >= VERIFY_EVERY:  # it reads the whole log
                    await self._verify_audit()
                    verified = now
            except JulesManagerError as exc:
                _LOG.warning("what expired was not removed: %s", exc)
            await self.app.clock.sleep(TIDY_SECONDS)

    async def _verify_audit(self) -> None:
        """Look whether the chain of the audit log holds; metrics say so, and an alert hears it."""
        found = await audit_of(self.app.store, self.app.settings, self.app.clock).verify()
        self.operations.meter.put("jules_audit_chain_intact", float(not found.problems))
        for problem in found.problems:
            _LOG.error("the audit log was changed: %s", problem)

    async def _end_worker(self) -> None:
        """Let the worker finish what is in hand, for a while; then cancel it. Nothing is lost."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping.set()
        if self._worker is not None:
            self._worker.stop()
        done, _ = await asyncio.wait({task}, timeout=self.app.settings.server.graceful_seconds)
        if not done:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _keep_working(self) -> None:
        """Run workers one after the other until stopped; what ends one is told and tried again."""
        while not self._stopping.is_set():
            try:
                await self._work()
                self.worker_problem = ""
            except JulesManagerError as exc:
                self._tell(str(exc), shown=exc.for_clients)
            except Exception as exc:  # noqa: BLE001 - the queue goes on whatever happens
                _LOG.exception("the worker ended")
                self._tell(f"something unexpected happened ({type(exc).__name__})")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._stopping.wait()

    async def _work(self) -> None:
        settings = self.app.settings
        warnings = await check_warnings(settings)
        for warning in warnings:
            if warning not in self._warned:
                _LOG.warning("%s", warning)
                self.say(f"warning: {warning}")
        self._warned = warnings
        remotes = dict(settings.remotes)
        worker = queue_worker(self.app, settings, remotes, report=_report, watch=True)
        self._worker, self.worker_problem = worker, ""
        steady = asyncio.get_running_loop().call_later(STEADY_SECONDS, self._tell_it_works)
        try:
            await worker.stand_by()
        finally:
            steady.cancel()
            self._worker = None

    def _tell(self, problem: str, *, shown: str = "") -> None:
        """Say once why the queue is not worked on, however often that is tried again.

        Clients are shown less: not where the database is.
        """
        if problem != self._told:
            _LOG.error("the queue is not worked on: %s", problem)
            self.say(f"warning: the queue is not worked on: {self.app.secrets.masked(problem)}")
        self._told, self.worker_problem = problem, shown or problem

    def _tell_it_works(self) -> None:
        if self._told:
            _LOG.info("the queue is worked on again")
            self.say("The queue is worked on again.")
        self._told = ""


def _report(progress: Progress) -> None:
    """Leave it to the log, which the worker itself writes to."""
    del progress


@asynccontextmanager
async def open_service(
    app: App,
    *,
    load: Callable[[], Settings],
    say: Callable[[str], None],
    address: str,
) -> AsyncIterator[Service]:
    """Build the service on an open application, and yield it.

    Args:
        app: Open, its backend not yet used; it is not closed here.
        load: Reads the settings again, with their secrets.
        say: Told what a person must know: at the start, when the settings were read again, and when
            the queue is not worked on.
        address: By which the service is reached.

    Raises:
        ConfigurationError: the store is a JSON file.
    """
    require_store(app)
    await _make_first_key(app, say, address)
    trace_id = None if app.tracer is None else app.tracer.trace_id
    operations = operations_of(app, app.settings, trace_id=trace_id)
    watch = SettingsWatch(
        settings=app.settings, load=load, secrets=app.secrets, clock=app.clock, say=say
    )
    async with live_service(app, operations.meter) as events:
        if app.settings.cache.backend != "none":
            app.show_through(CachedTaskReader(events.tasks, app.exact_reader))
        reviews = RepeatedReviews(
            store=app.store, clock=app.clock, at_once=app.settings.review.at_once
        )
        service = Service(
            app=app, started_at=app.clock.now(), has_worker=app.settings.server.worker,
            operations=operations, events=events, reviews=reviews, watch=watch, say=say,
        )  # fmt: skip
        for name, probe in (("own_worker", service.look_at_worker), ("live", service.look_at_live)):
            operations.health.add(HealthCheck(name=name, probe=probe, is_critical=False))
        if app.settings.cache.backend != "none":
            kept = HealthCheck(name="cache", probe=service.look_at_cache, is_critical=False)
            operations.health.add(kept)
        watch.subscribe(service.reload)
        try:
            yield service
        finally:
            await reviews.aclose()


async def _make_first_key(app: App, say: Callable[[str], None], address: str) -> None:
    """Make the first admin's key when there never was one, and say how to use it."""
    path = await save_first_admin(app.store, app.clock, app.settings.home)
    if path is not None:
        say(f"The first admin key is in {path}. Use the service with:")
        say(f"  export JJM_SERVER={address} JJM_SERVER_KEY=$(cat {shlex.quote(str(path))})")


def require_store(app: App) -> None:
    """Check that the store can serve many.

    Raises:
        ConfigurationError: it is a JSON file.
    """
    if app.store.kind == "json":
        raise ConfigurationError(
            "The service needs a database, and the store is a JSON file.",
            hint="Set storage.backend to sqlite or postgresql; `jjm storage migrate` moves what is there.",
        )

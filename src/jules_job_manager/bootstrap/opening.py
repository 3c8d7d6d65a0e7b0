"""Opens the application: its log, its store, traces, and hints to other processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.bootstrap.app import App
from jules_job_manager.settings.locate import default_data_path

if TYPE_CHECKING:
    from jules_job_manager.domain.masking import KnownSecrets
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.store import Store
    from jules_job_manager.settings.model import Settings


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock | None = None, *, kind: type[App] = App
) -> AsyncIterator[App]:
    """Open the store and yield the application, of this kind.

    Raises:
        StoreError: the store cannot be opened.
        ConfigurationError: a setting is missing.
    """
    from jules_job_manager.adapters.storage.opening import open_store
    from jules_job_manager.settings.secrets import known_secrets

    clock = clock or SystemClock()
    secrets = known_secrets(settings)
    stop_log, log_warning = _start_log(settings, secrets)
    try:
        store = await open_store(
            kind=settings.storage.backend,
            data_path=data_path(settings),
            database_url=settings.storage.database_url,
            fallback=settings.storage.fallback,
            clock=clock,
        )
    except BaseException:
        stop_log()
        raise
    _watch_queries(store, settings)
    app = kind(settings, store, clock)
    app.log_warning = log_warning
    app.secrets = secrets
    try:
        if settings.tracing.enabled:
            _trace(app)
        async with _hinting(app):
            yield app
    finally:
        await app.aclose()
        stop_log()


def _watch_queries(store: Store, settings: Settings) -> None:
    if store.kind == "json" or not settings.storage.slow_query_seconds:
        return
    from jules_job_manager.adapters.storage.sql.query_log import log_slow_queries
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    if isinstance(store, SqlStore):
        log_slow_queries(store.engine, seconds=settings.storage.slow_query_seconds)


def _trace(app: App) -> None:
    """Record traces from now on; without them nothing of OpenTelemetry's SDK is loaded.

    Raises:
        MissingExtraError, ConfigurationError: `[tracing]` cannot be used.
    """
    from jules_job_manager._version import __version__
    from jules_job_manager.adapters.tracing import open_tracing
    from jules_job_manager.services.tracing import CallTracer

    chosen = app.settings.tracing
    tracer = open_tracing(
        endpoint=chosen.endpoint, headers=chosen.headers, service_name=chosen.service_name,
        sample_ratio=chosen.sample_ratio, version=__version__,
    )  # fmt: skip
    app.tracer = tracer
    app.watchers.append(CallTracer(tracer))
    app.closers.append(tracer.close)


@asynccontextmanager
async def _hinting(app: App) -> AsyncIterator[None]:
    """Give hints of what is written, where other processes can hear them."""
    if not app.settings.redis.url:
        yield
        return
    from jules_job_manager.bootstrap.live import announcing

    async with announcing(app.store, app.settings, app.clock) as bus:
        app.bus = bus
        yield


def _start_log(settings: Settings, secrets: KnownSecrets) -> tuple[Callable[[], None], str]:
    """Open the log file. A log that cannot be written stops nothing; it is told."""
    from jules_job_manager.adapters.logs import configure_logging, stop_logging

    log = settings.log
    path = Path(log.path).expanduser() if log.path else settings.home / "logs" / "jules_manager.log"
    try:
        settings.home.mkdir(
            parents=True, exist_ok=True, mode=0o700
        )  # `parents` alone opens it to all
        handler = configure_logging(
            path=path,
            level=log.level,
            form=log.format,
            retention_days=log.retention_days,
            secrets=secrets,
        )
    except OSError as exc:
        return lambda: None, f"The log {path} cannot be written: {exc.strerror}."
    return lambda: stop_logging(handler), ""


def data_path(settings: Settings) -> Path:
    """Return the file of the store (of the local fallback, for PostgreSQL)."""
    if settings.storage.data_path:
        return Path(settings.storage.data_path).expanduser()
    kind = "json" if settings.storage.backend == "json" else "sqlite"
    return Path(default_data_path({"JJM_HOME": str(settings.home)}, kind))

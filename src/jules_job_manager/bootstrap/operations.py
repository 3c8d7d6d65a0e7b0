"""Builds what looks after the program itself: metrics and health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from jules_job_manager._version import __version__
from jules_job_manager.adapters.disk_space import FolderDisk
from jules_job_manager.adapters.metrics.prometheus import PrometheusMeter
from jules_job_manager.domain.health import Damping, Found
from jules_job_manager.services import health_checks as checks
from jules_job_manager.services.backend_health import BackendHealth
from jules_job_manager.services.health import Health, HealthCheck, Probe
from jules_job_manager.services.health_metering import put_health
from jules_job_manager.services.metering import CallMeter, EventMeter, MeteringOptions, StoreMeter
from jules_job_manager.services.queue_view import stored_uses

if TYPE_CHECKING:
    from jules_job_manager.adapters.storage.sql.probe import SqlStoreProbe
    from jules_job_manager.bootstrap import App
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.store_probe import Connections
    from jules_job_manager.services.accounts import Account
    from jules_job_manager.settings.model import Settings

BACKEND_LIMIT = timedelta(seconds=60)
"""Longest look at Jules: a call may be repeated within it."""
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The parts, made once for a program that serves or works for long.

    `run` follows the event log and looks after the checks until it is cancelled.
    """

    meter: PrometheusMeter
    health: Health
    backends: BackendHealth
    events: EventMeter
    store: StoreMeter | None
    """None for the JSON store, which counts nothing."""

    async def run(self) -> None:
        """Look after everything until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.health.run())
                group.create_task(self.events.run())
        finally:
            if self.store is not None:
                await self.store.aclose()

    async def refresh(self) -> None:
        """Bring the metrics up to date: what `/metrics` calls first."""
        if self.store is not None:
            await self.store.refresh()
        put_health(self.health.report(), self.meter)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics as text and its media type."""
        return self.meter.exposition(accept)


def operations_of(
    app: App,
    settings: Settings,
    *,
    trace_id: Callable[[], str] | None = None,
) -> Operations:
    """Return what looks after `app`. Must be called before its backend is first used.

    Args:
        app: The application.
        settings: What is configured.
        trace_id: Returns the id of the running trace, for exemplars.
    """
    meter = PrometheusMeter(trace_id=trace_id)
    meter.put("jules_build_info", 1.0, version=__version__)
    meter.put("jules_start_time_seconds", app.clock.now().timestamp())
    backends = app.backend_health
    app.watchers.append(CallMeter(meter=meter, clock=app.clock))
    probe = probe_of(app)
    names = tuple(app.account_choices())
    events = EventMeter(store=app.store, meter=meter, clock=app.clock, accounts=names)
    health = _health(app, settings, meter, backends, probe)
    store = None if probe is None else _store_meter(app, settings, meter, events, probe)
    return Operations(meter=meter, health=health, backends=backends, events=events, store=store)


def probe_of(app: App) -> SqlStoreProbe | None:
    """Return what looks at the store from outside; None for the JSON store."""
    if app.store.kind == "json":
        return None
    from jules_job_manager.adapters.storage.sql.probe import SqlStoreProbe
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    assert isinstance(app.store, SqlStore)
    return SqlStoreProbe(app.store.engine, app.clock)


def _store_meter(
    app: App,
    settings: Settings,
    meter: PrometheusMeter,
    events: EventMeter,
    probe: SqlStoreProbe,
) -> StoreMeter:
    options = MeteringOptions(
        snapshot_age=timedelta(seconds=settings.metrics.snapshot_seconds),
        quota_age=timedelta(seconds=settings.metrics.quota_seconds),
    )
    return StoreMeter(
        store=app.store, probe=probe, meter=meter, clock=app.clock, events=events, options=options,
        uses=lambda: stored_uses(app.store, app.account_choices(), app.clock), pools=_pools(app),
    )  # fmt: skip


def _pools(app: App) -> dict[str, Callable[[], Connections]]:
    """Return what says how many connections there are beside those of the store itself."""
    if app.store.kind != "postgresql":
        return {}
    from jules_job_manager.adapters.storage.reading.postgresql import PostgresTaskReader

    reader = app.exact_reader
    return {"reads": reader.connections} if isinstance(reader, PostgresTaskReader) else {}


def _health(
    app: App,
    settings: Settings,
    meter: PrometheusMeter,
    backends: BackendHealth,
    probe: SqlStoreProbe | None,
) -> Health:
    from jules_job_manager.bootstrap import backend_name

    chosen = settings.health
    disk = checks.disk_room(
        FolderDisk(settings.home),
        low_bytes=chosen.disk_low_mb * _MIB, least_bytes=chosen.disk_least_mb * _MIB,
        tell=lambda free: meter.put("jules_disk_free_bytes", free),
    )  # fmt: skip
    found = [
        HealthCheck(name="database", probe=checks.database(app.store, probe)),
        HealthCheck(name="disk", probe=disk),
    ]
    if probe is not None:
        leader = checks.worker(
            app.store, probe, app.clock,
            tell=lambda is_led: meter.put("jules_queue_leader", float(is_led)),
        )  # fmt: skip
        skew = checks.clock_skew(
            probe, app.clock, most=timedelta(seconds=chosen.clock_skew_seconds),
            tell=lambda off: meter.put("jules_clock_skew_seconds", off.total_seconds()),
        )  # fmt: skip
        found.append(HealthCheck(name="worker", probe=leader, is_critical=False))
        found.append(HealthCheck(name="clock", probe=skew, is_critical=False))
    if backend_name(settings):
        reached = _Reached(app)
        found += [
            HealthCheck(
                name="jules" if name == "default" else f"jules:{name}", is_critical=False,
                probe=_jules(reached, backends, name), time_limit=BACKEND_LIMIT,
            )
            for name in app.account_choices()
        ]  # fmt: skip
    return Health(
        clock=app.clock,
        checks=found,
        interval=timedelta(seconds=chosen.interval_seconds),
        time_limit=timedelta(seconds=chosen.limit_seconds),
        damping=Damping(to_worsen=chosen.worsen_after, to_recover=chosen.recover_after),
    )


class _Reached:
    """The backend of each account, opened when first asked for."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._accounts: dict[str, Account] = {}

    def backend(self, account: str) -> Backend:
        if account == "default":
            return self._app.backend
        self._accounts = self._accounts or self._app.accounts()
        return self._accounts[account].backend


def _jules(reached: _Reached, backends: BackendHealth, account: str) -> Probe:
    async def look() -> Found:
        async def ask() -> object:
            return await reached.backend(account).list_tasks(limit=1)

        return await backends.look(account, ask)

    return look

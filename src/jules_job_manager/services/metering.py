"""Fills the metrics: counters from the event log, gauges from the store when they are asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.measures import ended_status, samples_of
from jules_job_manager.domain.quota import WINDOW, AccountUse
from jules_job_manager.errors import (
    AuthenticationError,
    BackendConnectionError,
    CircuitOpenError,
    JulesManagerError,
    QuotaExceededError,
    StoreError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.call_watcher import Call
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.meter import Meter
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.store_probe import Connections, StoreProbe
from jules_job_manager.services.event_follower import EventFollower

_LOG = logging.getLogger(__name__)
FOLLOW_SECONDS = 2.0
"""Time between two looks at the event log."""
_UNFINISHED = (
    "pending",
    "in_progress",
    "waiting_approval",
    "waiting_feedback",
    "paused",
    "unknown",
)

Uses = Callable[[], Awaitable[Mapping[str, AccountUse]]]
"""Returns what each account has used, as far as the store knows."""


@dataclass(frozen=True, kw_only=True)
class MeteringOptions:
    """How old what is shown may be."""

    snapshot_age: timedelta = timedelta(seconds=15)
    """Of the counts of the store; 0: counted anew for each scrape."""
    quota_age: timedelta = timedelta(seconds=60)
    """Of what the accounts have left, which costs more reading."""
    patience: timedelta = timedelta(seconds=5)
    """Longest wait for the store; after it the last values are shown."""


class EventMeter:
    """Counts what the event log says, from the start of this process on."""

    def __init__(
        self, *, store: Store, meter: Meter, clock: Clock, accounts: tuple[str, ...]
    ) -> None:
        """Count into `meter`; `accounts` are the configured names."""
        self._store = store
        self._meter = meter
        self._clock = clock
        self._accounts = accounts
        for name in accounts:  # there from the start, so that the first one is seen as an increase
            meter.add("jules_dispatches_total", 0.0, account=name)
        self._follower = EventFollower(store.events, clock)
        self._lock = asyncio.Lock()

    @property
    def counted_to(self) -> int:
        """The id of the newest event that was counted."""
        return self._follower.last_id

    async def run(self) -> None:
        """Follow the log until cancelled; while the store is away, wait for it."""
        while True:
            with contextlib.suppress(StoreError):
                await self.count()
            await self._clock.sleep(FOLLOW_SECONDS)

    async def count(self) -> None:
        """Count what is new.

        Raises:
            StoreError: the log could not be read; it is counted next time.
        """
        async with self._lock:
            for event in await self._follower.read():
                for sample in samples_of(event, self._accounts):
                    self._meter.add(sample.name, sample.value, **sample.labels)
                if status := ended_status(event):
                    await self._time_task(event, status)

    async def _time_task(self, event: Event, status: str) -> None:
        with contextlib.suppress(StoreError):  # one time less; the event itself is counted
            task = await self._store.tasks.get_task(event.subject.partition(":")[2])
            if task is not None and task.created_at is not None:
                seconds = max(0.0, (event.at - task.created_at).total_seconds())
                self._meter.add("jules_task_duration_seconds", seconds, status=status)


class StoreMeter:
    """Counts what the store holds, seldom enough that scrapes cost it little."""

    def __init__(
        self,
        *,
        store: Store,
        probe: StoreProbe,
        meter: Meter,
        clock: Clock,
        uses: Uses,
        events: EventMeter,
        options: MeteringOptions = MeteringOptions(),
        pools: Mapping[str, Callable[[], Connections]] = MappingProxyType({}),
    ) -> None:
        """Bind the parts.

        Args:
            store: Has the ledger of the quota.
            probe: Counts what is kept.
            meter: Gets the values.
            clock: Tells the time.
            uses: Returns what the accounts have used.
            events: Counts events; brought up to date with each scrape.
            options: How old values may be.
            pools: Say what further connections there are to the database, by name.
        """
        self._store = store
        self._probe = probe
        self._meter = meter
        self._clock = clock
        self._uses = uses
        self._events = events
        self._options = options
        self._pools = pools
        self._counted_at: float | None = None
        self._quota_at: float | None = None
        self._refreshing: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Bring the values up to date; a store that hangs delays this by the patience at most."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.ensure_future(self._refresh())
        timer = asyncio.ensure_future(self._clock.sleep(self._options.patience.total_seconds()))
        try:
            # Scrapes side by side share one look; whoever goes away does not end it.
            await asyncio.wait({self._refreshing, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

    async def aclose(self) -> None:
        """End a look that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _refresh(self) -> None:
        for pool, connections in {"store": self._probe.connections, **self._pools}.items():
            now_there = connections()
            for state, count in (("in_use", now_there.in_use), ("idle", now_there.idle)):
                self._meter.put("jules_database_connections", count, pool=pool, state=state)
        try:
            await self._events.count()
            now = self._clock.monotonic_seconds()
            if _is_over(self._counted_at, now, self._options.snapshot_age):
                await self._count()
                self._counted_at = now
            if _is_over(self._quota_at, now, self._options.quota_age):
                await self._count_quota()
                self._quota_at = now
        except StoreError as exc:
            _LOG.warning("metrics are not up to date: %s", exc, extra={"action": "metrics"})

    async def _count(self) -> None:
        figures = await self._probe.figures()
        tasks = {status: float(count) for status, count in figures.tasks_by_status.items()}
        self._meter.put_all("jules_tasks", "status", tasks)
        self._meter.put("jules_active_tasks", sum(tasks.get(one, 0.0) for one in _UNFINISHED))
        jobs = {status: float(count) for status, count in figures.jobs_by_status.items()}
        self._meter.put_all("jules_jobs", "status", jobs)
        runs = {state: float(count) for state, count in figures.reviews_by_state.items()}
        self._meter.put_all("jules_review_runs", "state", runs)
        oldest = figures.oldest_ready
        age = 0.0 if oldest is None else max(0.0, oldest.total_seconds())
        self._meter.put("jules_oldest_ready_job_age_seconds", age)
        behind = max(0, figures.newest_event_id - self._events.counted_to)
        self._meter.put("jules_events_behind", behind)
        pending = await self._store.webhooks.count_pending()
        self._meter.put("jules_webhook_pending", float(pending))

    async def _count_quota(self) -> None:
        now = self._clock.now()
        limits, left = {}, {}
        for name, use in (await self._uses()).items():
            if use.limits.per_day is not None:
                limits[name] = float(use.limits.per_day)
                left[name] = float(max(0, use.limits.per_day - use.used(now)))
        self._meter.put_all("jules_quota_limit", "account", limits)
        self._meter.put_all("jules_quota_left", "account", left)
        refusals = dict.fromkeys(limits, 0.0)
        for entry in await self._store.ledger.read(since=now - WINDOW):
            if entry.kind == "refusal" and entry.account in refusals:
                refusals[entry.account] += 1
        self._meter.put_all("jules_quota_refusals", "account", refusals)


def _is_over(at: float | None, now: float, age: timedelta) -> bool:
    return at is None or now - at >= age.total_seconds()


class CallMeter:
    """A CallWatcher that times calls of Jules and counts their errors."""

    def __init__(self, *, meter: Meter, clock: Clock) -> None:
        """Measure into `meter`, by `clock`."""
        self._meter = meter
        self._clock = clock

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Time one call."""
        began = self._clock.monotonic_seconds()
        outcome, is_open = "cancelled", 0.0
        try:
            yield
            outcome = "ok"
        except JulesManagerError as exc:
            outcome = outcome_of(exc)
            is_open = float(isinstance(exc, CircuitOpenError))
            self._meter.add("jules_errors_total", error_type=exc.code)
            raise
        except Exception:
            outcome = "broken"
            raise
        finally:
            seconds = max(0.0, self._clock.monotonic_seconds() - began)
            self._meter.add(
                "jules_backend_call_duration_seconds", seconds, account=call.account,
                operation=call.operation, outcome=outcome,
            )  # fmt: skip
            self._meter.put("jules_backend_circuit_open", is_open, account=call.account)


_OUTCOMES: tuple[tuple[type[JulesManagerError], str], ...] = (
    (CircuitOpenError, "circuit_open"),
    (BackendConnectionError, "away"),
    (AuthenticationError, "denied"),
    (QuotaExceededError, "quota"),
    (UnclearOutcomeError, "unclear"),
)


def outcome_of(error: JulesManagerError) -> str:
    """Return in one word how a call failed: the label of the metric."""
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "refused")

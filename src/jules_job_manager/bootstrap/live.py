"""Builds live events, the bus and webhooks from settings."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from jules_job_manager.adapters.outside_addresses import AllowedPrivate
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.services.announcing import Announcer
from jules_job_manager.services.live import LiveEvents, LivePolicy
from jules_job_manager.services.task_cache import TaskCache

if TYPE_CHECKING:
    from jules_job_manager.adapters.webhook_sender import HttpWebhookSender
    from jules_job_manager.bootstrap import App
    from jules_job_manager.ports.cache import Cache
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.event_bus import EventBus
    from jules_job_manager.ports.meter import Meter
    from jules_job_manager.ports.store import Store
    from jules_job_manager.services.webhook_delivery import WebhookDeliveries
    from jules_job_manager.services.webhooks import Webhooks
    from jules_job_manager.settings.model import Settings

_DELIVERIES = "jules_webhook_deliveries_total"


@dataclass(frozen=True, kw_only=True)
class LiveService:
    """What runs beside the routes."""

    bus: EventBus
    live: LiveEvents
    deliveries: WebhookDeliveries | None
    """None: webhooks are off, or the store keeps none."""
    tasks: TaskCache
    """Reads tasks for those who only show them."""

    def stop(self) -> None:
        """Let streams end and the worker finish. Call it before waiting for clients."""
        self.live.stop()
        if self.deliveries is not None:
            self.deliveries.stop()


def open_bus(settings: Settings, clock: Clock) -> EventBus:
    """Return the bus: Redis when an address is set, else one within the process.

    Raises:
        MissingExtraError: an address is set and the extra `redis` is not installed.
        ConfigurationError: the address cannot be used.
    """
    if not settings.redis.url:
        from jules_job_manager.adapters.bus.local import LocalBus

        return LocalBus()
    from jules_job_manager.adapters.bus.redis import RedisBus
    from jules_job_manager.adapters.redis_client import open_redis

    redis = settings.redis
    client = open_redis(
        redis.url, timeout_seconds=redis.timeout_seconds, connections=redis.connections
    )
    return RedisBus(client, clock=clock)


@asynccontextmanager
async def announcing(store: Store, settings: Settings, clock: Clock) -> AsyncIterator[EventBus]:
    """Give hints of all that the store writes while the block runs; yield the bus."""
    bus = open_bus(settings, clock)
    try:
        async with Announcer(log=store.events, bus=bus).running():
            yield bus
    finally:
        await bus.aclose()


def open_cache(settings: Settings) -> Cache:
    """Return the cache of `cache.backend`.

    Raises:
        ConfigurationError: it is to be in Redis, and there is no address of one, or a wrong one.
        MissingExtraError: the extra `redis` is not installed.
    """
    if settings.cache.backend == "none":
        from jules_job_manager.adapters.cache.none import NoCache

        return NoCache()
    from jules_job_manager.adapters.cache.redis import RedisCache
    from jules_job_manager.adapters.redis_client import open_redis

    redis = settings.redis
    if not redis.url:
        raise ConfigurationError(
            "The cache is to be in Redis, and redis.url is empty.",
            hint="Set REDIS_URL, or cache.backend to none.",
        )
    return RedisCache(
        open_redis(redis.url, timeout_seconds=redis.timeout_seconds, connections=redis.connections)
    )


def live_events(store: Store, bus: EventBus, settings: Settings) -> LiveEvents:
    """Return what clients follow; its `run` must run."""
    live = settings.live
    policy = LivePolicy(
        poll_seconds=live.poll_seconds, heartbeat_seconds=live.heartbeat_seconds,
        kept_events=live.kept_events,
    )  # fmt: skip
    return LiveEvents(log=store.events, bus=bus, policy=policy)


@asynccontextmanager
async def webhooks_of(app: App, *, actor: str = "jjm") -> AsyncIterator[Webhooks]:
    """Yield what manages webhooks.

    Raises:
        UnsupportedOperationError: the store keeps none.
        ConfigurationError: `webhooks.allow_private` cannot be used.
    """
    from jules_job_manager.adapters.webhook_signer import StandardSigner
    from jules_job_manager.services.webhooks import Webhooks

    sender = _sender(app.settings)
    try:
        yield Webhooks(
            store=app.store, clock=app.clock, signer=StandardSigner(), sender=sender,
            new_id=lambda: secrets.token_hex(8), actor=actor,
        )  # fmt: skip
    finally:
        await sender.aclose()


@asynccontextmanager
async def delivering(
    app: App, *, finish_seconds: float = 0.0, meter: Meter | None = None
) -> AsyncIterator[None]:
    """Deliver webhooks while the block runs, unless another program does: one at a time has the lease.

    Args:
        app: Whose store has them.
        finish_seconds: When the block has ended well, what is due is delivered for so long at most.
        meter: Counts deliveries; None: nothing does.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    async with AsyncExitStack() as stack:
        sender = _sender(app.settings)
        stack.push_async_callback(sender.aclose)
        bus = app.bus
        if bus is None:
            bus = await stack.enter_async_context(announcing(app.store, app.settings, app.clock))
        deliveries = _deliveries(app, bus, sender, _counter(meter, _DELIVERIES))
        if deliveries is None:
            yield
            return
        task = asyncio.create_task(deliveries.run(), name="webhooks")
        try:
            yield
        except asyncio.CancelledError:  # at once: what was in hand is sent again
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        except BaseException:
            deliveries.stop()
            await task
            raise
        deliveries.stop()
        await task
        if finish_seconds:
            await deliveries.finish(finish_seconds)


@asynccontextmanager
async def live_service(app: App, meter: Meter | None = None) -> AsyncIterator[LiveService]:
    """Run the bus, the reader of events and the delivery of webhooks while the block runs.

    Call the service's `stop` before waiting for clients; it is called at the end in any case. `meter`
    counts reads through the cache and deliveries.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    async with AsyncExitStack() as stack:
        bus = app.bus
        if bus is None:
            hinting = announcing(app.store, app.settings, app.clock)
            bus = await stack.enter_async_context(hinting)
        live = live_events(app.store, bus, app.settings)
        sender = _sender(app.settings)
        stack.push_async_callback(sender.aclose)
        deliveries = _deliveries(app, bus, sender, _counter(meter, _DELIVERIES))
        cache = open_cache(app.settings)
        stack.push_async_callback(cache.aclose)
        tasks = TaskCache(
            tasks=app.store.tasks, cache=cache, task_seconds=app.settings.cache.task_seconds,
            list_seconds=app.settings.cache.list_seconds,
            count=_counter(meter, "jules_cache_requests_total"),
        )  # fmt: skip
        service = LiveService(bus=bus, live=live, deliveries=deliveries, tasks=tasks)
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            group.create_task(live.run())
            if cache.name != "none":
                group.create_task(tasks.forget_changed(live))
            if deliveries is not None:
                group.create_task(deliveries.run())
            try:
                yield service
            except Exception as exc:  # noqa: BLE001 - raised below, not as part of a group
                failure = exc
            finally:
                service.stop()
        if failure is not None:
            raise failure


def _sender(settings: Settings) -> HttpWebhookSender:
    from jules_job_manager.adapters.webhook_sender import HttpWebhookSender

    return HttpWebhookSender(
        timeout_seconds=settings.webhooks.timeout_seconds,
        allowed=AllowedPrivate(settings.webhooks.allow_private),
    )


def _counter(meter: Meter | None, name: str) -> Callable[[str], None]:
    def count(outcome: str) -> None:
        if meter is not None:
            meter.add(name, outcome=outcome)

    return count


def _deliveries(
    app: App, bus: EventBus, sender: HttpWebhookSender, count: Callable[[str], None]
) -> WebhookDeliveries | None:
    from jules_job_manager.adapters.webhook_signer import StandardSigner
    from jules_job_manager.services.webhook_delivery import DeliveryPolicy, WebhookDeliveries

    given = app.settings.webhooks
    if not given.enabled or app.store.kind == "json":
        return None
    policy = DeliveryPolicy(
        poll_seconds=given.poll_seconds, at_once=min(given.at_once, 1000),
        each_at_once=given.each_at_once, keep=timedelta(days=given.keep_days),
    )  # fmt: skip
    return WebhookDeliveries(
        store=app.store, clock=app.clock, bus=bus, signer=StandardSigner(), sender=sender,
        owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}", chance=random.random,
        policy=policy, count=count,
    )  # fmt: skip

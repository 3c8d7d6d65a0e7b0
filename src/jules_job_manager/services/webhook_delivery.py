"""Delivers webhooks: each wanted event at least once, whatever is restarted.

An event becomes a delivery row together with the endpoint's cursor, in one transaction; a delivery
is a row with the time of its next try. Nothing waits in memory, and one worker at a time delivers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.webhook import (
    DISABLE_AFTER,
    GONE,
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    body_of,
    wait_after,
)
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.event_bus import EventBus
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.webhook_sender import MessageSigner, SendResult, WebhookSender

_LOG = logging.getLogger(__name__)
LEASE_NAME = "webhooks"
LEASE_SECONDS = 120.0
"""More than the longest round takes: one send, all at once."""
_PAGE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryPolicy:
    """How deliveries are made."""

    poll_seconds: float = 5.0
    """Longest time between two looks, > 0."""
    gather_seconds: float = 0.25
    """After a hint, so long is waited for more events, >= 0."""
    at_once: int = 32
    """Messages sent at the same time, 1 to 1000."""
    each_at_once: int = 4
    """Of them to one endpoint, >= 1."""
    keep: timedelta = timedelta(days=30)
    """How long the log of deliveries goes back."""


_OUTCOMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "failed",
    DeliveryState.FAILED: "given_up",
}
"""How one try went, by the state it left the delivery in, for metrics."""


class WebhookDeliveries:
    """The worker that delivers."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        bus: EventBus,
        signer: MessageSigner,
        sender: WebhookSender,
        owner: str,
        chance: Callable[[], float],
        count: Callable[[str], None] = lambda _: None,
        policy: DeliveryPolicy | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps events, endpoints, deliveries and the lease.
            clock: Tells the time.
            bus: Wakes the worker.
            signer: Signs messages.
            sender: Sends them.
            owner: Unique to this run of the program.
            chance: Returns a number from 0 to 1, for the jitter of waits.
            count: Told `delivered`, `failed` or `given_up` of each try, for metrics.
            policy: How deliveries are made.

        Raises:
            UnsupportedOperationError: the store keeps no webhooks.
        """
        self._store = store
        self._kept = store.webhooks
        self._clock = clock
        self._bus = bus
        self._signer = signer
        self._sender = sender
        self._owner = owner
        self._chance = chance
        self._policy = policy or DeliveryPolicy()
        self._lease: Lease | None = None
        self._hint = asyncio.Event()
        self._stopped = False
        self._count = count
        self._cleaned_at: datetime | None = None

    def stop(self) -> None:
        """Finish the round in hand, then end."""
        self._stopped = True
        self._hint.set()

    async def run(self) -> None:
        """Deliver until stopped. A store that is away is tried again."""
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._bus.listen(self._hint.set))
                while not self._stopped:
                    self._hint.clear()
                    was_busy = False
                    try:
                        was_busy = await self.tick()
                    except* StoreError as failures:
                        words = str(failures.exceptions[0])
                        _LOG.warning("Webhooks wait: %s", words, extra={"action": "webhooks"})
                    if not was_busy:
                        await self._pause()
                listening.cancel()
        finally:
            await self._release()

    async def finish(self, seconds: float) -> None:
        """Deliver what is due, for so long at most, once `run` has ended. The rest waits in the store."""
        try:
            async with asyncio.timeout(seconds):
                while await self.tick():
                    pass
        except* (StoreError, TimeoutError) as failures:
            words = str(failures.exceptions[0]) or f"not all were taken within {seconds:g} s"
            _LOG.warning("Webhooks wait: %s", words, extra={"action": "webhooks"})
        await self._release()

    async def tick(self) -> bool:
        """Do one round, if this worker has the lease; return whether there may be more to do at once.

        Raises:
            StoreError: the store failed; in a group when it failed while messages were sent.
        """
        if not await self._holds_lease():
            return False
        for endpoint in await self._kept.list_endpoints():
            if endpoint.enabled:
                await self._fan_out(endpoint)
        now = self._clock.now()
        due = await self._kept.due(
            now=now, each=self._policy.each_at_once, limit=self._policy.at_once
        )
        if due:
            await self._send_all(due)
        await self._clean(now)
        return bool(due)

    async def _holds_lease(self) -> bool:
        leases = self._store.leases
        if self._lease is not None:
            self._lease = await leases.renew(self._lease, seconds=LEASE_SECONDS)
        if self._lease is None:
            self._lease = await leases.acquire(LEASE_NAME, self._owner, seconds=LEASE_SECONDS)
        return self._lease is not None

    async def _release(self) -> None:
        if self._lease is not None:
            try:
                await self._store.leases.release(self._lease)
            except StoreError as exc:  # it runs out by itself
                _LOG.warning("The lease is kept: %s", exc, extra={"action": "webhooks"})

    async def _fan_out(self, endpoint: WebhookEndpoint) -> None:
        """Make deliveries of what happened since the endpoint's cursor."""
        cursor, newest = endpoint.cursor, await self._store.events.last_id()
        while cursor < newest:
            events = await self._store.events.read(
                matching=endpoint.matching, after_id=cursor, limit=_PAGE
            )
            is_whole = len(events) < _PAGE
            cursor = max(newest, events[-1].id if events else 0) if is_whole else events[-1].id
            await self._kept.add_deliveries(
                endpoint.id, events, cursor=cursor, now=self._clock.now()
            )

    async def _send_all(self, due: Sequence[WebhookDelivery]) -> None:
        endpoints = {one.id: one for one in await self._kept.list_endpoints()}
        async with asyncio.TaskGroup() as group:
            tasks = [
                (one.endpoint_id, group.create_task(self._send(endpoints[one.endpoint_id], one)))
                for one in due
                if one.endpoint_id in endpoints
            ]
        for endpoint_id in dict.fromkeys(found for found, _ in tasks):
            results = [task.result() for found, task in tasks if found == endpoint_id]
            await self._judge(endpoints[endpoint_id], [one for one in results if one is not None])

    async def _send(
        self, endpoint: WebhookEndpoint, delivery: WebhookDelivery
    ) -> SendResult | None:
        """Send one message and keep how it went; None: there was nothing to send."""
        event_id, now = delivery.event_id, self._clock.now()
        found = await self._store.events.read(after_id=event_id - 1, before_id=event_id + 1)
        if not found:
            lost = replace(
                delivery, state=DeliveryState.FAILED, error="the event is gone", finished_at=now
            )
            await self._kept.save_delivery(lost)
            return None
        body = body_of(found[0])
        headers = self._signer.headers(
            message_id=delivery.message_id, timestamp=int(now.timestamp()), body=body,
            secrets=endpoint.secrets_at(now),
        )  # fmt: skip
        result = await self._sender.send(endpoint.url, body=body, headers=headers)
        after = self._after(delivery, result)
        await self._kept.save_delivery(after)
        self._count(_OUTCOMES[after.state])
        return result

    def _after(self, delivery: WebhookDelivery, result: SendResult) -> WebhookDelivery:
        now, tries = self._clock.now(), delivery.tries + 1
        tried = replace(
            delivery, tries=tries, status=result.status, latency_ms=result.latency_ms,
            answer=result.answer, error=result.error,
        )  # fmt: skip
        if result.was_taken:
            return replace(tried, state=DeliveryState.DELIVERED, finished_at=now)
        wait = wait_after(tries, self._chance())
        if wait is None:
            return replace(tried, state=DeliveryState.FAILED, finished_at=now)
        return replace(tried, due=now + wait)

    async def _judge(self, endpoint: WebhookEndpoint, results: Sequence[SendResult]) -> None:
        """Note whether the endpoint works; disable one that is gone, or was away for long."""
        if not results:
            return
        now = self._clock.now()
        if any(one.status == GONE for one in results):
            await self._disable(endpoint, "it answered 410: it wants nothing more", now)
        elif any(one.was_taken for one in results):
            if endpoint.failing_since is not None:
                await self._kept.set_health(endpoint.id, failing_since=None)
        elif endpoint.failing_since is None:
            await self._kept.set_health(endpoint.id, failing_since=now)
        elif now - endpoint.failing_since >= DISABLE_AFTER:
            await self._disable(endpoint, f"it took nothing for {DISABLE_AFTER.days} days", now)

    async def _disable(self, endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
        event = NewEvent(
            type=EventType.WEBHOOK_DISABLED, subject=f"webhook:{endpoint.id}", at=now,
            data={"url": endpoint.url, "reason": reason},
        )  # fmt: skip
        await self._kept.set_health(
            endpoint.id, failing_since=endpoint.failing_since or now, disabled_reason=reason,
            events=[event],
        )  # fmt: skip

    async def _clean(self, now: datetime) -> None:
        if self._cleaned_at is None or now - self._cleaned_at >= timedelta(hours=1):
            self._cleaned_at = now
            await self._kept.forget_delivered(before=now - self._policy.keep)

    async def _pause(self) -> None:
        """Wait for a hint, for the next delivery that is due, or for the next look."""
        seconds = self._policy.poll_seconds
        try:
            due = await self._kept.next_due() if self._lease is not None else None
        except StoreError:
            due = None
        if due is not None:
            seconds = min(seconds, max(0.0, (due - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(seconds):
                await self._hint.wait()
        except TimeoutError:
            return
        if not self._stopped:
            # A round is several transactions: under load one is made for many events, not for each.
            await asyncio.sleep(self._policy.gather_seconds)

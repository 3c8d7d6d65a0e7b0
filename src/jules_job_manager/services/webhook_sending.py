"""Sends one message of a webhook, notes how it went, and judges its endpoint by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

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
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.webhook_sender import MessageSigner, SendResult, WebhookSender

_OUTCOMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "failed",
    DeliveryState.FAILED: "given_up",
}
"""How one try went, by the state it left the delivery in, for metrics."""


class WebhookSending:
    """One try of one delivery, from the event to the verdict on its endpoint."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        signer: MessageSigner,
        sender: WebhookSender,
        chance: Callable[[], float],
        count: Callable[[str], None],
    ) -> None:
        """Bind the parts; they are those of `WebhookDeliveries`.

        Raises:
            UnsupportedOperationError: the store keeps no webhooks.
        """
        self._store = store
        self._kept = store.webhooks
        self._clock = clock
        self._signer = signer
        self._sender = sender
        self._chance = chance
        self._count = count
        self._judging = asyncio.Lock()

    async def send(self, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
        """Send one message and keep how it went.

        Raises:
            StoreError: the store failed; the delivery may be sent again.
        """
        event_id, now = delivery.event_id, self._clock.now()
        found = await self._store.events.read(after_id=event_id - 1, before_id=event_id + 1)
        if not found:
            lost = replace(
                delivery, state=DeliveryState.FAILED, error="the event is gone", finished_at=now
            )
            await self._kept.save_delivery(lost)
            return
        body = body_of(found[0])
        headers = self._signer.headers(
            message_id=delivery.message_id, timestamp=int(now.timestamp()), body=body,
            secrets=endpoint.secrets_at(now),
        )  # fmt: skip
        result = await self._sender.send(endpoint.url, body=body, headers=headers)
        after = self._after(delivery, result)
        await self._kept.save_delivery(after)
        self._count(_OUTCOMES[after.state])
        # One at a time, on what is kept by then: others of the endpoint end at the same moment.
        async with self._judging:
            await self._judge(endpoint.id, result)

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

    async def _judge(self, endpoint_id: str, result: SendResult) -> None:
        """Note whether the endpoint works; disable one that is gone, or was away for long."""
        endpoint, now = await self._kept.get_endpoint(endpoint_id), self._clock.now()
        if endpoint is None or not endpoint.enabled:
            return
        if result.status == GONE:
            await self._disable(endpoint, "it answered 410: it wants nothing more", now)
        elif result.was_taken:
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

"""Delivers webhooks: each wanted event at least once, whatever is restarted.

An event becomes a delivery row together with the endpoint's cursor, in one transaction; a delivery
is a row with the time of its next try. One worker at a time delivers. In memory are only the ids of
what is being sent: each message has a slot, an endpoint has a share of them, and a slot that is free
again takes what is due next, whatever the others wait for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from jules_job_manager.domain.webhook import WebhookDelivery, WebhookEndpoint
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.event_bus import EventBus
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.webhook_sender import MessageSigner, WebhookSender
from jules_job_manager.services.webhook_sending import WebhookSending

_LOG = logging.getLogger(__name__)
LEASE_NAME = "webhooks"
LEASE_SECONDS = 120.0
"""It is renewed with every look at the log; in its second half nothing is begun that might outlast it."""
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
        self._owner = owner
        self._policy = policy or DeliveryPolicy()
        self._sending = WebhookSending(
            store=store, clock=clock, signer=signer, sender=sender, chance=chance, count=count
        )
        self._lease: Lease | None = None
        self._renewed = (clock.now(), clock.monotonic_seconds())
        self._hint = asyncio.Event()
        """Something happened that may be wanted."""
        self._wake = asyncio.Event()
        """There may be something to send, and a slot for it."""
        self._in_hand: set[int] = set()
        self._put_off: set[int] = set()
        """Deliveries over which the store failed; left alone until the next look at the log."""
        self._stopped = False
        self._cleaned_at: datetime | None = None

    def stop(self) -> None:
        """Finish what is in hand, begin nothing more, then end."""
        self._stopped = True
        self._hint.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until stopped. A store that is away is tried again."""
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._bus.listen(self._hint.set))
                group.create_task(self._watch_log())
                while not self._stopped:
                    self._wake.clear()
                    looked_at = self._clock.now()
                    try:
                        await self._hand_out(group)
                    except StoreError as exc:
                        _tell(exc)
                    await self._wait_for_work(looked_at)
                listening.cancel()
        finally:
            await self._release()

    async def finish(self, seconds: float) -> None:
        """Deliver what is due, for so long at most, once `run` has ended. The rest waits in the store."""
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                while await self.look(group):
                    await self._wake.wait()
        except* (StoreError, TimeoutError) as failures:
            _tell(str(failures.exceptions[0]) or f"not all were taken within {seconds:g} s")
        await self._release()

    async def look(self, group: asyncio.TaskGroup) -> bool:
        """Begin to send what is due, if this worker has the lease; return whether anything is in hand.

        Args:
            group: Has the tasks that send.

        Raises:
            StoreError: the store failed.
        """
        self._wake.clear()
        if await self._keeps_lease():
            await self._make_deliveries()
            await self._hand_out(group)
        return bool(self._in_hand)

    async def _watch_log(self) -> None:
        """Keep the lease and make deliveries of what happens, until stopped."""
        while not self._stopped:
            self._hint.clear()
            try:
                if await self._keeps_lease():
                    await self._make_deliveries()
            except StoreError as exc:
                _tell(exc)
            self._put_off.clear()
            self._wake.set()
            try:
                async with asyncio.timeout(self._policy.poll_seconds):
                    await self._hint.wait()
            except TimeoutError:
                continue
            if not self._stopped:
                # A look is several transactions: under load one is made for many events, not for each.
                await asyncio.sleep(self._policy.gather_seconds)

    async def _keeps_lease(self) -> bool:
        leases = self._store.leases
        asked = (self._clock.now(), self._clock.monotonic_seconds())
        if self._lease is not None:
            self._lease = await leases.renew(self._lease, seconds=LEASE_SECONDS)
        if self._lease is None:
            self._lease = await leases.acquire(LEASE_NAME, self._owner, seconds=LEASE_SECONDS)
        self._renewed = asked
        return self._lease is not None

    def _may_send(self) -> bool:
        """Whether the lease lasts long enough for one more message."""
        at, run_seconds = self._renewed
        # One clock may be set back, the other stands while the machine sleeps.
        passed = max(
            (self._clock.now() - at).total_seconds(), self._clock.monotonic_seconds() - run_seconds
        )
        return self._lease is not None and passed < LEASE_SECONDS / 2

    async def _release(self) -> None:
        if self._lease is not None:
            try:
                await self._store.leases.release(self._lease)
            except StoreError as exc:  # it runs out by itself
                _LOG.warning("The lease is kept: %s", exc, extra={"action": "webhooks"})

    async def _make_deliveries(self) -> None:
        """Make deliveries of what happened, and forget those of long ago."""
        for endpoint in await self._kept.list_endpoints():
            if endpoint.enabled:
                await self._fan_out(endpoint)
        await self._clean(self._clock.now())

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

    async def _hand_out(self, group: asyncio.TaskGroup) -> None:
        """Give each free slot what is due, to no endpoint more than its share."""
        free = self._policy.at_once - len(self._in_hand)
        if free < 1 or not self._may_send():
            return
        due = await self._kept.due(
            now=self._clock.now(), each=self._policy.each_at_once, limit=free,
            in_hand=self._in_hand | self._put_off,
        )  # fmt: skip
        endpoints = {one.id: one for one in await self._kept.list_endpoints()} if due else {}
        for one in due:
            if one.endpoint_id in endpoints:
                self._in_hand.add(one.id)
                group.create_task(self._send(endpoints[one.endpoint_id], one))

    async def _send(self, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
        """Send one message, then let the slot go."""
        try:
            await self._sending.send(endpoint, delivery)
        except StoreError as exc:
            self._put_off.add(delivery.id)
            _tell(exc)
        finally:
            self._in_hand.discard(delivery.id)
            self._wake.set()

    async def _clean(self, now: datetime) -> None:
        if self._cleaned_at is None or now - self._cleaned_at >= timedelta(hours=1):
            self._cleaned_at = now
            await self._kept.forget_delivered(before=now - self._policy.keep)

    async def _wait_for_work(self, looked_at: datetime) -> None:
        """Wait for a free slot, for new deliveries, or for the time of one that was not due then."""
        if self._wake.is_set():
            return
        seconds = self._policy.poll_seconds
        with suppress(StoreError):
            # What was due then and is not in hand waits for a slot of its endpoint.
            due = await self._kept.next_due(after=looked_at) if self._may_send() else None
            if due is not None:
                seconds = min(seconds, max(0.0, (due - self._clock.now()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()


def _tell(trouble: object) -> None:
    _LOG.warning("Webhooks wait: %s", trouble, extra={"action": "webhooks"})

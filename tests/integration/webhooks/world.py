"""A store with webhooks, and workers that deliver them."""

from __future__ import annotations

import itertools

from tests.contract.stores.filling import event

from jules_job_manager.adapters.bus.local import LocalBus
from jules_job_manager.adapters.outside_addresses import AllowedPrivate
from jules_job_manager.adapters.webhook_sender import HttpWebhookSender
from jules_job_manager.adapters.webhook_signer import StandardSigner
from jules_job_manager.services.webhook_delivery import WebhookDeliveries
from jules_job_manager.services.webhooks import Webhooks


class World:
    """A store with webhooks, and workers that deliver them."""

    def __init__(self, store, clock) -> None:
        self.store, self.clock = store, clock
        self.sender = HttpWebhookSender(timeout_seconds=5, allowed=AllowedPrivate(["127.0.0.1"]))
        numbers = itertools.count(1)
        self.webhooks = Webhooks(
            store=store, clock=clock, signer=StandardSigner(), sender=self.sender,
            new_id=lambda: f"{next(numbers)}",
        )  # fmt: skip

    def worker(self, owner="one", **other) -> WebhookDeliveries:
        parts = {"store": self.store, "bus": LocalBus(), "sender": self.sender, **other}
        return WebhookDeliveries(
            clock=self.clock, signer=StandardSigner(), owner=owner, chance=lambda: 0.5, **parts
        )

    async def write(self, *numbers: int) -> None:
        await self.store.events.append([event(number) for number in numbers])

    async def states(self) -> list[str]:
        return [one.state.value for one in reversed(await self.webhooks.deliveries())]

    def dying(self, failure: Exception) -> Dying:
        """Return the store as one that fails when a delivery is written down."""
        return Dying(self.store, failure)


class Dying:
    """A store that fails, or whose program is killed, when a delivery is written down."""

    def __init__(self, store, failure: Exception | None) -> None:
        self._store, self.failure = store, failure

    def __getattr__(self, name):
        return getattr(self._store, name)

    @property
    def webhooks(self):
        return _DyingWebhooks(self)


class _DyingWebhooks:
    def __init__(self, store: Dying) -> None:
        self._dying = store

    def __getattr__(self, name):
        return getattr(self._dying._store.webhooks, name)

    async def save_delivery(self, delivery):
        if self._dying.failure is not None:
            raise self._dying.failure
        await self._dying._store.webhooks.save_delivery(delivery)

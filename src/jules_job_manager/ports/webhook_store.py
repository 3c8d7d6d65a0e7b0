"""Where endpoints of webhooks and their deliveries are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.webhook import DeliveryState, WebhookDelivery, WebhookEndpoint


class WebhookStore(Protocol):
    """Endpoints and deliveries. Every method may raise StoreUnavailableError."""

    async def save_endpoint(
        self, endpoint: WebhookEndpoint, events: Sequence[NewEvent] = ()
    ) -> None:
        """Insert an endpoint, or replace all of one but its cursor."""
        ...

    async def set_health(
        self,
        endpoint_id: str,
        *,
        failing_since: datetime | None,
        disabled_reason: str = "",
        events: Sequence[NewEvent] = (),
    ) -> None:
        """Note since when an endpoint fails, and disable it if there is a reason; no more is changed."""
        ...

    async def get_endpoint(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return the endpoint, or None."""
        ...

    async def list_endpoints(self) -> Sequence[WebhookEndpoint]:
        """Return every endpoint, oldest first."""
        ...

    async def delete_endpoint(self, endpoint_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """Forget an endpoint with its deliveries; False, and nothing is written, when there is none."""
        ...

    async def add_deliveries(
        self, endpoint_id: str, events: Sequence[Event], *, cursor: int, now: datetime
    ) -> int:
        """Make a pending delivery of each event, and move the cursor up to `cursor`, in one step.

        An event that has a delivery keeps it. Returns how many were made; none is when the endpoint
        is gone.
        """
        ...

    async def due(
        self, *, now: datetime, each: int, limit: int, in_hand: Collection[int] = ()
    ) -> Sequence[WebhookDelivery]:
        """Return pending deliveries of enabled endpoints whose time has come.

        First comes one of each endpoint, then a second, and so on; of one endpoint the longest due is
        first. So an endpoint that has much to be sent does not stand before others.

        Args:
            now: The time.
            each: At most so many of one endpoint, >= 1, those in hand among them.
            limit: At most so many in all, 1 to 1000, without those in hand.
            in_hand: Ids of deliveries that are being sent; they are not returned. At most 2000.
        """
        ...

    async def count_pending(self) -> int:
        """Return how many deliveries wait to be sent."""
        ...

    async def next_due(self, *, after: datetime) -> datetime | None:
        """Return when the next pending delivery of an enabled endpoint is due after then, or None."""
        ...

    async def save_delivery(self, delivery: WebhookDelivery) -> None:
        """Replace a delivery; nothing happens when it is gone."""
        ...

    async def get_delivery(self, delivery_id: int) -> WebhookDelivery | None:
        """Return the delivery, or None."""
        ...

    async def list_deliveries(
        self,
        *,
        endpoint_id: str | None = None,
        state: DeliveryState | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries, newest first, at most `limit` (1 to 1000)."""
        ...

    async def send_again(self, endpoint_id: str, events: Sequence[int], *, now: datetime) -> int:
        """Let the deliveries of these events (at most 1000) begin anew; return how many there are."""
        ...

    async def forget_delivered(self, *, before: datetime) -> int:
        """Remove deliveries that ended before then; return how many."""
        ...

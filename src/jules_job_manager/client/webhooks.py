"""Webhooks of a service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from jules_job_manager.client import models as m
from jules_job_manager.client.operations import Operations
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.webhook import DeliveryState, WebhookDelivery, WebhookEndpoint
from jules_job_manager.ports.webhook_sender import SendResult
from jules_job_manager.services.webhooks import (
    EndpointChange,
    Webhooks,
    checked_change,
    checked_endpoint,
)


class RemoteWebhooks(Webhooks):
    """`Webhooks` by a service: what it says of each method holds here too."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def create(
        self,
        url: str,
        *,
        types: Sequence[str] = (),
        subjects: Sequence[str] = (),
        description: str = "",
    ) -> WebhookEndpoint:
        """See `Webhooks.create`."""
        checked_endpoint(url, types, subjects)
        body: m.NewWebhookIn = {
            "url": url, "types": list(types), "subjects": list(subjects), "description": description,
        }  # fmt: skip
        return WebhookEndpoint.from_dict(await self._operations.create_webhook(body=body))

    async def check(self, url: str | None, types: Sequence[str], subjects: Sequence[str]) -> None:
        """See `Webhooks.check`; where the service may send to is known there alone."""
        checked_endpoint(url, types, subjects)

    async def list(self) -> Sequence[WebhookEndpoint]:
        """See `Webhooks.list`."""
        return [WebhookEndpoint.from_dict(one) for one in await self._operations.list_webhooks()]

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """See `Webhooks.get`."""
        return WebhookEndpoint.from_dict(await self._operations.get_webhook(endpoint_id))

    async def update(self, endpoint_id: str, change: EndpointChange) -> WebhookEndpoint:
        """See `Webhooks.update`."""
        checked_change(change)
        wanted = {
            "url": change.url, "description": change.description,
            "types": None if change.types is None else [*change.types],
            "subjects": None if change.subjects is None else [*change.subjects],
            "enabled": change.enabled,
        }  # fmt: skip
        given = {name: value for name, value in wanted.items() if value is not None}
        body = cast("m.WebhookChangeIn", {**given, "skip_missed": change.skip_missed})
        return WebhookEndpoint.from_dict(
            await self._operations.update_webhook(endpoint_id, body=body)
        )

    async def delete(self, endpoint_id: str) -> None:
        """See `Webhooks.delete`."""
        await self._operations.delete_webhook(endpoint_id)

    async def rotate_secret(
        self, endpoint_id: str, *, keep_old: timedelta = timedelta(days=1)
    ) -> WebhookEndpoint:
        """See `Webhooks.rotate_secret`; the service says how long the old one holds."""
        del keep_old
        return WebhookEndpoint.from_dict(await self._operations.rotate_webhook_secret(endpoint_id))

    async def deliveries(
        self,
        endpoint_id: str | None = None,
        *,
        state: DeliveryState | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """See `Webhooks.deliveries`."""
        page = await self._operations.list_webhook_deliveries(
            endpoint=endpoint_id, state=None if state is None else state.value, cursor=before_id,
            limit=limit,
        )  # fmt: skip
        return [WebhookDelivery.from_dict(one) for one in page["items"]]

    async def replay(self, delivery_id: int, *, dry_run: bool = False) -> int:
        """See `Webhooks.replay`."""
        body: m.ReplayIn = {"delivery": delivery_id, "dry_run": dry_run}
        return (await self._operations.replay_webhook(body=body))["count"]

    async def replay_since(
        self, endpoint_id: str, since: datetime, *, dry_run: bool = False
    ) -> int:
        """See `Webhooks.replay_since`."""
        body: m.ReplayIn = {
            "endpoint": endpoint_id, "since": to_rfc3339(since), "dry_run": dry_run,
        }  # fmt: skip
        return (await self._operations.replay_webhook(body=body))["count"]

    async def test(self, endpoint_id: str) -> SendResult:
        """See `Webhooks.test`."""
        found = await self._operations.test_webhook(endpoint_id)
        return SendResult(
            status=found["status"], latency_ms=found["latency_ms"], answer=found["answer"],
            error=found["error"],
        )  # fmt: skip

"""Webhook endpoints and deliveries in rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.paging import require_limit
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.text import storable_text
from jules_job_manager.domain.webhook import DeliveryState, WebhookDelivery, WebhookEndpoint

_ENDPOINTS = schema.webhook_endpoints.c
_ROWS = schema.webhook_deliveries.c


class SqlWebhookStore:
    """The WebhookStore port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def save_endpoint(
        self, endpoint: WebhookEndpoint, events: Sequence[NewEvent] = ()
    ) -> None:
        """Insert an endpoint, or replace all of one but its cursor."""
        row = {
            **asdict(endpoint), "types": list(endpoint.types), "subjects": list(endpoint.subjects),
        }  # fmt: skip
        async with transaction(self._engine, writes=True) as connection:
            statement = upsert(connection, schema.webhook_endpoints)
            changed = {
                name: statement.excluded[name] for name in row if name not in {"id", "cursor"}
            }
            statement = statement.on_conflict_do_update(index_elements=["id"], set_=changed)
            await connection.execute(statement, [row])
            await insert_events(connection, events)

    async def set_health(
        self,
        endpoint_id: str,
        *,
        failing_since: datetime | None,
        disabled_reason: str = "",
        events: Sequence[NewEvent] = (),
    ) -> None:
        """Note since when an endpoint fails, and disable it if there is a reason."""
        values: dict[str, Any] = {"failing_since": failing_since}
        if disabled_reason:
            values |= {"enabled": False, "disabled_reason": disabled_reason}
        change = sa.update(schema.webhook_endpoints).where(_ENDPOINTS.id == endpoint_id)
        async with transaction(self._engine, writes=True) as connection:
            if (await connection.execute(change.values(values))).rowcount:
                await insert_events(connection, events)

    async def get_endpoint(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return the endpoint, or None."""
        query = sa.select(schema.webhook_endpoints).where(_ENDPOINTS.id == endpoint_id)
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _endpoint(row)

    async def list_endpoints(self) -> Sequence[WebhookEndpoint]:
        """Return every endpoint, oldest first."""
        query = sa.select(schema.webhook_endpoints).order_by(_ENDPOINTS.created_at, _ENDPOINTS.id)
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_endpoint(row) for row in rows]

    async def delete_endpoint(self, endpoint_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """Forget an endpoint with its deliveries."""
        gone = sa.delete(schema.webhook_endpoints).where(_ENDPOINTS.id == endpoint_id)
        async with transaction(self._engine, writes=True) as connection:
            if (await connection.execute(gone)).rowcount == 0:
                return False
            await insert_events(connection, events)
        return True

    async def add_deliveries(
        self, endpoint_id: str, events: Sequence[Event], *, cursor: int, now: datetime
    ) -> int:
        """Make a pending delivery of each event, and move the cursor up, in one step."""
        moved = sa.update(schema.webhook_endpoints).where(_ENDPOINTS.id == endpoint_id)
        forward = sa.case((_ENDPOINTS.cursor < cursor, cursor), else_=_ENDPOINTS.cursor)
        rows = [
            {
                "endpoint_id": storable_text(endpoint_id), "event_id": event.id,
                "event_type": event.type, "state": DeliveryState.PENDING.value, "tries": 0,
                "due": now, "answer": "", "error": "", "created_at": now,
            }
            for event in events
        ]  # fmt: skip
        made = 0
        async with transaction(self._engine, writes=True) as connection:
            if (await connection.execute(moved.values(cursor=forward))).rowcount == 0:
                return 0
            for row in rows:
                statement = upsert(connection, schema.webhook_deliveries).on_conflict_do_nothing()
                made += (await connection.execute(statement.values(row))).rowcount
        return made

    async def due(
        self, *, now: datetime, each: int, limit: int, in_hand: Collection[int] = ()
    ) -> Sequence[WebhookDelivery]:
        """Return pending deliveries of enabled endpoints whose time has come, endpoints in turn."""
        require_limit(limit)
        is_in_hand = _ROWS.id.in_(sorted(in_hand))
        place = (
            sa.func.row_number()
            .over(
                partition_by=_ROWS.endpoint_id,
                order_by=(sa.case((is_in_hand, 0), else_=1), _ROWS.due, _ROWS.id),
            )
            .label("place")
        )
        # What is in hand may be noted as sent already: it has its place until it is let go.
        is_due = sa.or_(sa.and_(_is_waiting(), _ROWS.due <= now), is_in_hand)
        found = sa.select(_ROWS.id, place).where(is_due).subquery()
        query = (
            sa.select(schema.webhook_deliveries)
            .join(found, found.c.id == _ROWS.id)
            .where(found.c.place <= each, sa.not_(is_in_hand))
            .order_by(found.c.place, _ROWS.due, _ROWS.id)
            .limit(limit)
        )
        return await self._deliveries(query)

    async def count_pending(self) -> int:
        """Return how many deliveries wait to be sent."""
        query = sa.select(sa.func.count()).select_from(schema.webhook_deliveries)
        waiting = query.where(_ROWS.state == DeliveryState.PENDING.value)
        async with transaction(self._engine, writes=False) as connection:
            return (await connection.execute(waiting)).scalar_one()

    async def next_due(self, *, after: datetime) -> datetime | None:
        """Return when the next pending delivery of an enabled endpoint is due after then, or None."""
        later = sa.select(_ROWS.due).where(_is_waiting(), _ROWS.due > after)
        query = later.order_by(_ROWS.due).limit(1)
        async with transaction(self._engine, writes=False) as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def save_delivery(self, delivery: WebhookDelivery) -> None:
        """Replace a delivery; nothing happens when it is gone."""
        row = asdict(delivery)
        change = sa.update(schema.webhook_deliveries).where(_ROWS.id == row.pop("id"))
        async with transaction(self._engine, writes=True) as connection:
            await connection.execute(change.values({**row, "state": delivery.state.value}))

    async def get_delivery(self, delivery_id: int) -> WebhookDelivery | None:
        """Return the delivery, or None."""
        query = sa.select(schema.webhook_deliveries).where(_ROWS.id == delivery_id)
        return next(iter(await self._deliveries(query)), None)

    async def list_deliveries(
        self,
        *,
        endpoint_id: str | None = None,
        state: DeliveryState | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries, newest first."""
        query = sa.select(schema.webhook_deliveries).order_by(_ROWS.id.desc())
        if endpoint_id is not None:
            query = query.where(_ROWS.endpoint_id == endpoint_id)
        if state is not None:
            query = query.where(_ROWS.state == state.value)
        if before_id is not None:
            query = query.where(_ROWS.id < before_id)
        return await self._deliveries(query.limit(require_limit(limit)))

    async def send_again(self, endpoint_id: str, events: Sequence[int], *, now: datetime) -> int:
        """Let the deliveries of these events begin anew; return how many there are."""
        wanted = sa.update(schema.webhook_deliveries).where(
            _ROWS.endpoint_id == endpoint_id, _ROWS.event_id.in_(events)
        )
        fresh = {
            "state": DeliveryState.PENDING.value, "tries": 0, "due": now, "finished_at": None,
        }  # fmt: skip
        async with transaction(self._engine, writes=True) as connection:
            return (await connection.execute(wanted.values(fresh))).rowcount

    async def forget_delivered(self, *, before: datetime) -> int:
        """Remove deliveries that ended before then; return how many."""
        gone = sa.delete(schema.webhook_deliveries).where(_ROWS.finished_at < before)
        async with transaction(self._engine, writes=True) as connection:
            return (await connection.execute(gone)).rowcount

    async def _deliveries(self, query: sa.Select[Any]) -> list[WebhookDelivery]:
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [WebhookDelivery(**{**row, "state": DeliveryState(row["state"])}) for row in rows]


def _is_waiting() -> sa.ColumnElement[bool]:
    enabled = sa.select(_ENDPOINTS.id).where(_ENDPOINTS.enabled)
    return sa.and_(_ROWS.state == DeliveryState.PENDING.value, _ROWS.endpoint_id.in_(enabled))


def _endpoint(row: sa.RowMapping) -> WebhookEndpoint:
    return WebhookEndpoint(
        **{**row, "types": tuple(row["types"]), "subjects": tuple(row["subjects"])}
    )

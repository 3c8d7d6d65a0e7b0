"""Outgoing webhooks: where events are sent, when again, and what is sent.

The form is that of Standard Webhooks. Source: github.com/standard-webhooks/standard-webhooks,
spec/standard-webhooks.md, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlsplit

from jules_job_manager.domain.clockwork import (
    from_rfc3339,
    optional_from_rfc3339,
    optional_to_rfc3339,
    to_rfc3339,
)
from jules_job_manager.domain.event import Event
from jules_job_manager.domain.event_filter import EventFilter

PREFIX = "whsec_"
SECRET_BYTES = 32
"""Of a new secret. The specification asks for 24 to 64."""
RETRY_AFTER = (
    5, 60, 300, 1800, 7200, 18000, 36000, 50400,
)  # fmt: skip
"""Seconds before each further try: about 31 hours in all, as the specification suggests."""
JITTER = 0.2
"""Share of a wait by which it is made longer or shorter, so that not all come at once."""
DISABLE_AFTER = timedelta(days=5)
"""An endpoint that took nothing for so long is disabled."""
GONE = 410
"""HTTP status with which an endpoint says that it wants nothing more."""
LONGEST_ANSWER = 500
"""Characters kept of an answer."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookEndpoint:
    """Where events are sent. `cursor` is the last event that became a delivery, or was not wanted."""

    id: str
    url: str
    created_at: datetime
    description: str = ""
    types: tuple[str, ...] = ()
    """Types of events that are sent; none: all."""
    subjects: tuple[str, ...] = ()
    """Subjects, or beginnings of them that end in `*`; none: all."""
    secret: str = ""
    """`whsec_` and base64. Never shown but once."""
    old_secret: str = ""
    """The one before; messages are signed with both until `old_secret_until`."""
    old_secret_until: datetime | None = None
    enabled: bool = True
    disabled_reason: str = ""
    failing_since: datetime | None = None
    """When the first delivery failed after which none succeeded."""
    cursor: int = 0

    @property
    def matching(self) -> EventFilter:
        """Which events are sent."""
        return EventFilter(
            types=frozenset(self.types),
            subjects=frozenset(one for one in self.subjects if not one.endswith("*")),
            subject_prefixes=tuple(
                one.removesuffix("*") for one in self.subjects if one.endswith("*")
            ),
        )

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that messages are signed with, the newest first."""
        if self.old_secret and self.old_secret_until is not None and now < self.old_secret_until:
            return (self.secret, self.old_secret)
        return (self.secret,)

    def to_dict(self) -> dict[str, Any]:
        """Return the endpoint as JSON values, without its secrets."""
        return {
            "id": self.id, "url": self.url, "description": self.description,
            "types": list(self.types), "subjects": list(self.subjects), "enabled": self.enabled,
            "disabled_reason": self.disabled_reason,
            "failing_since": optional_to_rfc3339(self.failing_since), "cursor": self.cursor,
            "created_at": to_rfc3339(self.created_at),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, and the secret if it is there."""
        return cls(
            id=data["id"], url=data["url"], description=data["description"],
            types=tuple(data["types"]), subjects=tuple(data["subjects"]),
            secret=data.get("secret") or "", enabled=data["enabled"],
            disabled_reason=data["disabled_reason"],
            failing_since=optional_from_rfc3339(data["failing_since"]), cursor=data["cursor"],
            created_at=from_rfc3339(data["created_at"]),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookDelivery:
    """One event for one endpoint, and how sending it went."""

    id: int
    endpoint_id: str
    event_id: int
    event_type: str
    state: DeliveryState
    tries: int
    due: datetime
    created_at: datetime
    status: int | None = None
    """HTTP status of the last answer; None: there was none."""
    latency_ms: int | None = None
    answer: str = ""
    """Begin of the last answer: text of others."""
    error: str = ""
    """Why there was no answer, or empty."""
    finished_at: datetime | None = None

    @property
    def message_id(self) -> str:
        """The same for every try and every replay: the receiver knows by it what it has."""
        return message_id(self.endpoint_id, self.event_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the delivery as JSON values."""
        return {
            "id": self.id, "endpoint_id": self.endpoint_id, "message_id": self.message_id,
            "event_id": self.event_id, "event_type": self.event_type, "state": self.state.value,
            "tries": self.tries, "due": to_rfc3339(self.due), "status": self.status,
            "latency_ms": self.latency_ms, "answer": self.answer, "error": self.error,
            "created_at": to_rfc3339(self.created_at),
            "finished_at": optional_to_rfc3339(self.finished_at),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            id=data["id"], endpoint_id=data["endpoint_id"], event_id=data["event_id"],
            event_type=data["event_type"], state=DeliveryState(data["state"]), tries=data["tries"],
            due=from_rfc3339(data["due"]), status=data["status"], latency_ms=data["latency_ms"],
            answer=data["answer"], error=data["error"],
            created_at=from_rfc3339(data["created_at"]),
            finished_at=optional_from_rfc3339(data["finished_at"]),
        )  # fmt: skip


def message_id(endpoint_id: str, event_id: int) -> str:
    """Return the id of an event's message to an endpoint."""
    return f"msg_{endpoint_id.removeprefix('we_')}_{event_id}"


def body_of(event: Event) -> str:
    """Return what is sent for an event: always the same text for the same event."""
    return json.dumps(
        {
            "type": event.type,
            "timestamp": to_rfc3339(event.at),
            "data": {
                "id": event.id, "subject": event.subject, "actor": event.actor,
                "data": dict(event.data),
            },
        },
        separators=(",", ":"), sort_keys=True,
    )  # fmt: skip


def wait_after(tries: int, chance: float) -> timedelta | None:
    """Return how long to wait after so many failed tries (>= 1); None: give up.

    Args:
        tries: How many have failed.
        chance: 0 to 1, from a source of randomness.
    """
    if tries > len(RETRY_AFTER):
        return None
    return timedelta(seconds=RETRY_AFTER[tries - 1] * (1 + JITTER * (2 * chance - 1)))


def is_usable_url(text: str) -> bool:
    """Return whether it is an http or https address without user, password or fragment."""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port != 0
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port_is_fine
        and not (parts.username or parts.password or parts.fragment)
        and len(text) <= 2000
        and text.isprintable()
        and " " not in text
    )

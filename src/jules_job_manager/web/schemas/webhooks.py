"""Webhooks: endpoints, what was sent to them, and what is changed of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from jules_job_manager.domain.webhook import DeliveryState
from jules_job_manager.services.webhooks import LONGEST_FILTER, MOST_FILTERS
from jules_job_manager.web.schemas.base import Answer, Body, Instant, Line, Moment, example_of

Filter = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_FILTER)]
Filters = Annotated[list[Filter], Field(max_length=MOST_FILTERS)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
_EXAMPLE: JsonDict = {
    "id": "we_0f1e2d3c4b5a6978", "url": "https://example.org/hook", "description": "the chat",
    "types": ["task_state_changed"], "subjects": ["job:*"], "enabled": True, "disabled_reason": "",
    "failing_since": None, "cursor": 42, "created_at": "2026-11-24T12:00:00.000000Z",
}  # fmt: skip


class WebhookOut(Answer):
    """Where events are sent. Its secret is not shown."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    id: str
    url: str
    description: str
    types: list[str] = Field(description="Types of events that are sent; none: all.")
    subjects: list[str] = Field(
        description="Subjects, or beginnings of them that end in `*`; none: all."
    )
    enabled: bool
    disabled_reason: str
    failing_since: Moment | None
    cursor: int = Field(description="The last event that was looked at for it.")
    created_at: Moment


class IssuedWebhookOut(WebhookOut):
    """An endpoint with a new secret, this once."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**_EXAMPLE, "secret": "whsec_BASE64_OF_32_BYTES"}}
    )

    secret: str = Field(description="Messages are signed with it. It is shown this once.")


class NewWebhookIn(Body):
    """An endpoint to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "url": "https://example.org/hook",
                "types": ["task_state_changed"],
                "subjects": ["job:*"],
                "description": "the chat",
            }
        },
    )

    url: Url
    types: Filters = Field(default_factory=list)
    subjects: Filters = Field(default_factory=list)
    description: Line = ""


class WebhookChangeIn(Body):
    """What is changed of an endpoint; what is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"enabled": True, "skip_missed": True}}
    )

    url: Url | None = None
    description: Line | None = None
    types: Filters | None = None
    subjects: Filters | None = None
    enabled: bool | None = None
    skip_missed: bool = Field(
        default=False, description="Do not send what happened while it was disabled."
    )


class WebhookDeliveryOut(Answer):
    """One event for one endpoint, and how sending it went."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 17,
                "endpoint_id": "we_0f1e2d3c4b5a6978",
                "message_id": "msg_0f1e2d3c4b5a6978_42",
                "event_id": 42,
                "event_type": "merged",
                "state": "delivered",
                "tries": 1,
                "due": "2026-11-24T12:00:00.000000Z",
                "status": 200,
                "latency_ms": 41,
                "answer": "ok",
                "error": "",
                "created_at": "2026-11-24T12:00:00.000000Z",
                "finished_at": "2026-11-24T12:00:00.000000Z",
            }
        }
    )

    id: int
    endpoint_id: str
    message_id: str = Field(description="The same for every try and every replay.")
    event_id: int
    event_type: str
    state: DeliveryState
    tries: int
    due: Moment
    status: int | None = Field(description="HTTP status of the last answer.")
    latency_ms: int | None
    answer: str = Field(description="Begin of the last answer: text of others.")
    error: str
    created_at: Moment
    finished_at: Moment | None


class DeliveryPage(Answer):
    """Deliveries, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"items": [example_of(WebhookDeliveryOut)], "next_cursor": 17}
        }
    )

    items: list[WebhookDeliveryOut]
    next_cursor: int | None = Field(description="To be given as cursor; null on the last page.")


class ReplayIn(Body):
    """What is sent again: one delivery, or all that an endpoint wants since a time."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"delivery": 17}})

    delivery: int | None = Field(default=None, ge=1, le=2**62)
    endpoint: Line | None = None
    since: Instant | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> ReplayIn:
        is_many = self.endpoint is not None and self.since is not None
        is_part = self.endpoint is not None or self.since is not None
        if (self.delivery is None and not is_many) or (self.delivery is not None and is_part):
            raise ValueError("name a delivery, or both an endpoint and since")
        return self


class ReplayedOut(Answer):
    """How many messages are sent again."""

    model_config = ConfigDict(json_schema_extra={"example": {"count": 1}})

    count: int


class TestedOut(Answer):
    """How an endpoint took a test message."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"status": 200, "latency_ms": 41, "answer": "ok", "error": ""}
        }
    )

    status: int | None = Field(description="HTTP status of the answer; null: there was none.")
    latency_ms: int
    answer: str
    error: str

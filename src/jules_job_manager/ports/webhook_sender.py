"""Sending one message of a webhook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class SendResult:
    """How it went. `status` is None when there was no answer; `error` then says why."""

    status: int | None
    latency_ms: int
    answer: str = ""
    error: str = ""

    @property
    def was_taken(self) -> bool:
        """Whether the endpoint said yes."""
        return self.status is not None and 200 <= self.status < 300


class WebhookSender(Protocol):
    """Sends messages to addresses that users gave."""

    def refusal(self, url: str) -> str:
        """Return why nothing would ever be sent there, as far as that is known without asking for names.

        Empty: it may be sent to; what the name of the host stands for is looked at when it is sent.
        """
        ...

    async def send(self, url: str, *, body: str, headers: Mapping[str, str]) -> SendResult:
        """POST the body. Takes bounded time and raises nothing for what goes wrong on the way."""
        ...

    async def aclose(self) -> None:
        """Let go of connections. Safe to call twice."""
        ...


class MessageSigner(Protocol):
    """Signs messages as Standard Webhooks says."""

    def new_secret(self) -> str:
        """Return a new secret, `whsec_…`."""
        ...

    def headers(
        self, *, message_id: str, timestamp: int, body: str, secrets: tuple[str, ...]
    ) -> Mapping[str, str]:
        """Return the three headers, with one signature for each secret; `timestamp` in seconds."""
        ...

"""Signs messages with the library of Standard Webhooks."""

from __future__ import annotations

import base64
import secrets as randomness
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from jules_job_manager.domain.webhook import PREFIX, SECRET_BYTES


class StandardSigner:
    """The MessageSigner port."""

    def new_secret(self) -> str:
        """Return a new secret, `whsec_…`."""
        return PREFIX + base64.b64encode(randomness.token_bytes(SECRET_BYTES)).decode("ascii")

    def headers(
        self, *, message_id: str, timestamp: int, body: str, secrets: tuple[str, ...]
    ) -> Mapping[str, str]:
        """Return the three headers, with one signature for each secret."""
        moment = datetime.fromtimestamp(timestamp, UTC)
        signatures = [Webhook(one).sign(message_id, moment, body) for one in secrets]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }

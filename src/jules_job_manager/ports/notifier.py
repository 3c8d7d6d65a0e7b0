"""Telling people."""

from __future__ import annotations

from typing import Protocol


class Notifier(Protocol):
    """Sends short messages to the places a person chose."""

    async def send(self, title: str, body: str) -> None:
        """Send one message of plain text.

        Raises:
            NotificationError: it was not taken everywhere; `context["taken"]` is by how many.
        """
        ...

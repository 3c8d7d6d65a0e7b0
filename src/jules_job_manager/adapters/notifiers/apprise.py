"""Tells people through Apprise: Slack, e-mail, Telegram, Discord, webhooks, desktop and others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from jules_job_manager.errors import ConfigurationError, MissingExtraError, NotificationError


class AppriseNotifier:
    """The Notifier port on Apprise.

    Source: github.com/caronc/apprise (addresses and `async_notify`), read 2026-11.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        """Send to every address.

        Raises:
            MissingExtraError: Apprise is not installed.
            ConfigurationError: an address is none that it knows.
        """
        try:
            import apprise
        except ImportError as exc:
            raise MissingExtraError("Notifications", "notify") from exc
        self._places: list[Any] = []
        for number, url in enumerate(urls, start=1):
            place = apprise.Apprise()
            if not place.add(url):  # the address may hold a token: it is not repeated
                raise ConfigurationError(
                    f"Address {number} of notify.urls is none that Apprise knows.",
                    hint="How they are written: github.com/caronc/apprise",
                )
            self._places.append(place)
        self._text = apprise.NotifyFormat.TEXT

    async def send(self, title: str, body: str) -> None:
        """Send one message to every address.

        Raises:
            NotificationError: one of them did not take it; `context["taken"]` is how many did.
        """
        answers = await asyncio.gather(*(self._send(place, title, body) for place in self._places))
        failed = [str(number) for number, took in enumerate(answers, start=1) if not took]
        if failed:
            plural = "es" * (len(failed) > 1)
            raise NotificationError(
                f"Address{plural} {', '.join(failed)} of notify.urls did not take the message.",
                hint="It is wrong, or its service is away: try again with jjm notify test",
                context={"taken": len(answers) - len(failed)},
            )

    async def _send(self, place: Any, title: str, body: str) -> bool:
        return bool(await place.async_notify(body=body, title=title, body_format=self._text))

"""Notices that secrets were replaced where they are kept, without a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from jules_job_manager.domain.masking import KnownSecrets
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.settings.model import Settings
from jules_job_manager.settings.secrets import changed_secrets, secret_values

_LOG = logging.getLogger(__name__)

Subscriber = Callable[[frozenset[str], Settings], Awaitable[None]]
"""Told which settings (`section.name`) have another secret now, and all settings as they are."""


class SecretWatch:
    """Reads the settings again on an interval, or when woken (SIGHUP), and tells what changed.

    What cannot be read leaves everything as it is: a server goes on with the secret it has. The
    new secrets are masked before anybody is told of them, and the old ones stay masked.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        load: Callable[[], Settings],
        secrets: KnownSecrets,
        clock: Clock,
    ) -> None:
        """Bind the parts.

        Args:
            settings: As they are in force, with secrets read.
            load: Reads them again; run in a thread, because places of secrets may be slow.
            secrets: What is masked.
            clock: Waits.
        """
        self.settings = settings
        """As they were read last."""
        self.error = ""
        """Why they could not be read the last time, or empty."""
        self._load = load
        self._secrets = secrets
        self._clock = clock
        self._subscribers: list[Subscriber] = []
        self._woken = asyncio.Event()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell `subscriber` of changes from now on."""
        self._subscribers.append(subscriber)

    def wake(self) -> None:
        """Read again now; fit to be called by a signal handler of the loop."""
        self._woken.set()

    async def run(self) -> None:
        """Read again and again until cancelled."""
        while True:
            await self._wait(self.settings.secrets.refresh_seconds)
            await self.refresh()

    async def refresh(self) -> frozenset[str]:
        """Read once; return the names of the settings whose secrets changed, after telling."""
        try:
            found = await asyncio.to_thread(self._load)
        except ConfigurationError as exc:
            if exc.message != self.error:
                _LOG.warning("secrets are kept as they are: %s", exc, extra={"action": "secrets"})
            self.error = exc.message
            return frozenset()
        self.error = ""
        changed = changed_secrets(self.settings, found)
        self._secrets.add(text for texts in secret_values(found).values() for text in texts)
        self.settings = found
        if changed:
            names = ", ".join(sorted(changed))
            _LOG.info("secrets were replaced: %s", names, extra={"action": "secrets"})
            for subscriber in self._subscribers:
                await self._tell(subscriber, changed)
        return changed

    async def _tell(self, subscriber: Subscriber, changed: frozenset[str]) -> None:
        try:
            await subscriber(changed, self.settings)
        except Exception as exc:  # noqa: BLE001 - one that fails must not keep it from the others
            kind = type(exc).__name__
            _LOG.error("a new secret could not be put to use (%s)", kind, exc_info=exc)

    async def _wait(self, seconds: float) -> None:
        """Wait for the interval (0: for ever), or until woken."""
        waiters: list[asyncio.Future[object]] = [asyncio.ensure_future(self._woken.wait())]
        if seconds:
            waiters.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._woken.clear()
            for waiter in waiters:
                waiter.cancel()

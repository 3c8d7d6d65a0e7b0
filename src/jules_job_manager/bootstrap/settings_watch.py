"""Reads the settings again while a program runs: on SIGHUP, and when a secret was replaced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from jules_job_manager.domain.masking import KnownSecrets
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.settings.model import Settings
from jules_job_manager.settings.restarting import restart_needed
from jules_job_manager.settings.secrets import changed_secrets, masked_texts

_LOG = logging.getLogger(__name__)

Subscriber = Callable[[Settings], Awaitable[None]]
"""Told all settings as they are now."""


class SettingsWatch:
    """Reads the settings again on an interval, or when woken (SIGHUP), and tells them.

    On the interval they are told only when a secret was replaced where it is kept. One reading ends,
    with all who are told, before the next begins. What cannot be read leaves everything as it is: a
    server goes on with what it has. New secrets are masked before anybody is told of them, and the
    old ones stay masked.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        load: Callable[[], Settings],
        secrets: KnownSecrets,
        clock: Clock,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Bind the parts.

        Args:
            settings: As they are in force, with secrets read.
            load: Reads them again; run in a thread, because places of secrets may be slow.
            secrets: What is masked.
            clock: Waits.
            say: Told what came of a reading that a person asked for.
        """
        self.settings = settings
        """As they were read last."""
        self.error = ""
        """Why they could not be read the last time, or empty."""
        self._first = settings
        self._load = load
        self._secrets = secrets
        self._clock = clock
        self._say = say
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
            is_asked = await self._wait(self.settings.secrets.refresh_seconds)
            await self.refresh(is_asked=is_asked)

    async def refresh(self, *, is_asked: bool = False) -> frozenset[str]:
        """Read once, and tell.

        Args:
            is_asked: A person wants it: all is told, whether a secret changed or not.

        Returns:
            The names of the settings whose secrets changed.
        """
        try:
            found = await asyncio.to_thread(self._load)
        except ConfigurationError as exc:
            self._keep(exc, is_asked=is_asked)
            return frozenset()
        self.error = ""
        changed = changed_secrets(self.settings, found)
        self._secrets.add(masked_texts(found))
        self.settings = found
        if changed:
            names = ", ".join(sorted(changed))
            _LOG.info("secrets were replaced: %s", names, extra={"action": "secrets"})
        if changed or is_asked:
            for subscriber in self._subscribers:
                await self._tell(subscriber)
            self._tell_restart(is_asked=is_asked)
        return changed

    def _keep(self, exc: ConfigurationError, *, is_asked: bool) -> None:
        if is_asked:
            _LOG.error("the configuration was not read again: %s", exc)
            self._say(f"warning: the configuration stays as it was: {exc}")
        elif exc.message != self.error:
            _LOG.warning("secrets are kept as they are: %s", exc, extra={"action": "secrets"})
        self.error = exc.message

    def _tell_restart(self, *, is_asked: bool) -> None:
        """Say which of the settings that are other than at the start need a restart."""
        names = restart_needed(self._first, self.settings)
        said = f"These need a restart: {', '.join(names)}." if names else ""
        if said:
            _LOG.warning("%s", said)
        if is_asked:
            self._say(f"The configuration was read again. {said}".rstrip())

    async def _tell(self, subscriber: Subscriber) -> None:
        try:
            await subscriber(self.settings)
        except Exception as exc:  # noqa: BLE001 - one that fails must not keep it from the others
            kind = type(exc).__name__
            _LOG.error("settings could not be put to use (%s)", kind, exc_info=exc)
            self._say(f"warning: a part goes on with the settings that it had: {exc}")

    async def _wait(self, seconds: float) -> bool:
        """Wait for the interval (0: for ever), or until woken; return whether it was woken."""
        waiters: list[asyncio.Future[object]] = [asyncio.ensure_future(self._woken.wait())]
        if seconds:
            waiters.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            return self._woken.is_set()
        finally:
            self._woken.clear()
            for waiter in waiters:
                waiter.cancel()

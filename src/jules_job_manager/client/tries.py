"""Trying a request again, until its answer comes or it is known that none will."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx2
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

from jules_job_manager.errors import (
    JulesManagerError,
    RateLimitedError,
    RequestInProgressError,
    ServiceUnreachableError,
    StoreUnavailableError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.clock import Clock

TRIES = 3
"""How often in a row the service may give no answer."""
LONGEST_PAUSE_SECONDS = 10.0
_NEVER_SENT = (
    httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError,
    httpx2.UnsupportedProtocol, httpx2.LocalProtocolError,
)  # fmt: skip
_ANSWERS_LATER = (RequestInProgressError, RateLimitedError, StoreUnavailableError)
"""What tells of another try, and not how the first one ended."""
LONGEST_ASKED_SECONDS = 60.0
_QUICK = wait_exponential(multiplier=0.2, max=2)
_SLOW = wait_exponential(multiplier=0.5, max=LONGEST_PAUSE_SECONDS)

T = TypeVar("T")


class LostBehindProxyError(Exception):
    """A proxy says that it heard nothing from the service; the service may have heard the request."""


class Tries:
    """All tries of one request, which carry the same Idempotency-Key."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        *,
        changes: bool,
        repeats: bool,
        patience_seconds: float,
    ) -> None:
        """Begin with none.

        Args:
            address: Of the service, for messages.
            clock: Waits between two tries.
            changes: Whether the request changes something.
            repeats: Whether it may be sent again.
            patience_seconds: How long the service may be at work on it.
        """
        self._address = address
        self._clock = clock
        self._changes = changes
        self._repeats = repeats
        self._patience_seconds = patience_seconds
        self._began = clock.monotonic_seconds()
        self._silent = 0
        """Tries in a row that had no answer."""
        self._may_have_happened = False

    async def until_answered(self, send: Callable[[], Awaitable[T]]) -> T:
        """Return what `send` returns; see the errors of `Connection.json`."""

        async def noted() -> T:
            try:
                return await send()
            except JulesManagerError as exc:
                self._note(exc)
                raise

        again = AsyncRetrying(
            sleep=self._clock.sleep,
            stop=self._is_enough,
            wait=_wait,
            retry=retry_if_exception(self._is_open),
            reraise=True,
        )
        try:
            return await again(noted)
        except (ServiceUnreachableError, *_ANSWERS_LATER) as exc:
            if self._may_have_happened:
                raise self._unclear(exc) from exc
            raise

    def _note(self, exc: JulesManagerError) -> None:
        if isinstance(exc, ServiceUnreachableError):
            self._silent += 1
            was_sent = exc.__cause__ is not None and not isinstance(exc.__cause__, _NEVER_SENT)
            self._may_have_happened |= self._changes and was_sent
        else:
            self._silent = 0
            self._may_have_happened |= isinstance(exc, RequestInProgressError)

    def _is_open(self, exc: BaseException) -> bool:
        """Whether the answer may still come."""
        if isinstance(exc, ServiceUnreachableError):
            return self._repeats and exc.__cause__ is not None
        return self._may_have_happened and self._repeats and isinstance(exc, _ANSWERS_LATER)

    def _is_enough(self, _: RetryCallState) -> bool:
        if self._silent:
            return self._silent >= TRIES
        return self._clock.monotonic_seconds() - self._began >= self._patience_seconds

    def _unclear(self, exc: JulesManagerError) -> UnclearOutcomeError:
        if isinstance(exc, RequestInProgressError):
            why = f"The service at {self._address} is still at work on it; it may yet happen."
        else:
            why = f"It may have happened, though no answer came: {exc}"
        return UnclearOutcomeError(
            why, hint="Look with `jjm list` and `jjm queue status` before you do it again."
        )


def _wait(state: RetryCallState) -> float:
    exc = state.outcome.exception() if state.outcome is not None else None
    asked = getattr(exc, "retry_after_seconds", None)
    if asked is not None:
        return float(min(asked, LONGEST_ASKED_SECONDS))
    return float((_QUICK if isinstance(exc, ServiceUnreachableError) else _SLOW)(state))

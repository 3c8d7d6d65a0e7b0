"""Repeating what is safe to repeat, and leaving alone what keeps failing.

Retries are tenacity's: exponential from 1 s to 60 s with jitter, only on transient errors, and
only for operations the caller calls safe. The circuit breaker is purgatory's: after 5 failures
in a row calls fail at once for 30 s.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import purgatory
import tenacity
from purgatory.domain.model import OpenedState

from jules_job_manager.errors import (
    BackendConnectionError,
    CircuitOpenError,
    JulesManagerError,
    QuotaExceededError,
)
from jules_job_manager.ports.clock import Clock

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0


class Resilience:
    """Runs calls of one backend with retries and a circuit breaker of its own."""

    def __init__(self, *, clock: Clock, max_tries: int) -> None:
        """Wait on `clock`; try a safe call at most `max_tries` (>= 1) times."""
        self._clock = clock
        self._max_tries = max_tries
        self._breakers = purgatory.AsyncCircuitBreakerFactory(
            default_threshold=FAILURES_TO_OPEN, default_ttl=OPEN_SECONDS
        )

    async def call(self, operation: str, work: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        """Do `work` and return what it returns.

        Args:
            operation: Its name, for logs.
            work: The call; made anew for each try.
            safe: Whether doing it twice does no harm. An unsafe call is repeated only after
                QuotaExceededError, which says that it was not done; the wait is the server's
                where it names one. Source: Jules REST reference, section 11 (429: any method).

        Raises:
            BackendConnectionError: all tries failed, or the circuit is open.
        """
        retrying = tenacity.AsyncRetrying(
            sleep=self._clock.sleep,
            stop=tenacity.stop_after_attempt(self._max_tries),
            wait=_wait,
            retry=tenacity.retry_if_exception(lambda exc: _is_worth_repeating(exc, safe=safe)),
            before_sleep=lambda state: _log_attempt(operation, state),
            reraise=True,
        )
        return await retrying(self._guarded, work)

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        breaker = await self._breakers.get_breaker(
            "jules", exclude=[(JulesManagerError, _is_answer)]
        )
        try:
            async with breaker:
                return await work()
        except OpenedState as exc:
            raise CircuitOpenError(
                "Jules failed several times in a row, so it is left alone for a moment.",
                hint=f"Try again in {OPEN_SECONDS:.0f} seconds; `jjm doctor` checks the connection.",
            ) from exc


def _is_answer(exc: BaseException) -> bool:
    """Whether Jules answered: a refusal is no sign of a broken connection."""
    return isinstance(exc, JulesManagerError) and not isinstance(exc, BackendConnectionError)


def _is_worth_repeating(exc: BaseException, *, safe: bool) -> bool:
    if isinstance(exc, CircuitOpenError):
        return False
    if isinstance(exc, QuotaExceededError):
        return True
    return safe and isinstance(exc, BackendConnectionError)


_EXPONENTIAL = tenacity.wait_exponential_jitter(
    initial=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS
)


def _wait(state: tenacity.RetryCallState) -> float:
    exc = state.outcome.exception() if state.outcome is not None else None
    context = exc.context if isinstance(exc, JulesManagerError) else {}
    asked = getattr(exc, "retry_after_seconds", context.get("retry_after_seconds"))
    if asked is not None:
        return float(min(asked, LONGEST_RETRY_AFTER_SECONDS))
    return float(_EXPONENTIAL(state))


def _log_attempt(operation: str, state: tenacity.RetryCallState) -> None:
    exc = state.outcome.exception() if state.outcome is not None else None
    _LOG.warning(
        "%s failed (try %d): %s", operation, state.attempt_number, exc,
        extra={"action": "retry", "operation": operation},
    )  # fmt: skip

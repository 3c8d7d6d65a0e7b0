"""Whether Jules answers, seen from the calls that are made anyway, and asked seldom by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from jules_job_manager.domain.health import Found, HealthStatus
from jules_job_manager.errors import (
    AuthenticationError,
    BackendConnectionError,
    JulesManagerError,
    QuotaExceededError,
)
from jules_job_manager.ports.call_watcher import Call
from jules_job_manager.ports.clock import Clock

Ask = Callable[[], Awaitable[object]]
"""A cheap call that costs no quota, such as a list of one task, made on the watched backend."""


@dataclass(frozen=True, kw_only=True)
class _Contact:
    """What became of the last call of an account."""

    at_seconds: float
    error: JulesManagerError | None = None


class BackendHealth:
    """A CallWatcher that remembers, for each account, how its last call went."""

    def __init__(self, *, clock: Clock, every: timedelta = timedelta(minutes=5)) -> None:
        """Ask by itself only after no call was made for `every`; sooner while Jules is away."""
        self._clock = clock
        self._every = every
        self._last: dict[str, _Contact] = {}
        self._away_since: dict[str, datetime] = {}

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Note how the call goes. An answer is a sign of life, a refusal too."""
        try:
            yield
        except (BackendConnectionError, AuthenticationError) as exc:
            self._note(call.account, exc)
            raise
        except JulesManagerError:
            self._note(call.account, None)
            raise
        self._note(call.account, None)

    def _note(self, account: str, error: JulesManagerError | None) -> None:
        now = self._clock.monotonic_seconds()
        self._last[account] = _Contact(at_seconds=now, error=error)
        if error is None:
            self._away_since.pop(account, None)
        else:
            self._away_since.setdefault(account, self._clock.now())

    def away_since(self) -> Mapping[str, datetime]:
        """Return since when each account that does not answer is away, aware UTC."""
        return dict(self._away_since)

    async def look(self, account: str, ask: Ask) -> Found:
        """Return how an account is; `ask` is called when that is not known well enough."""
        last = self._last.get(account)
        now = self._clock.monotonic_seconds()
        is_known = last is not None and now - last.at_seconds < self._every.total_seconds()
        if last is None or not is_known or last.error is not None:
            try:
                await ask()
            except QuotaExceededError:
                return Found(message="Jules answers; it asks to be called less often.")
            last = self._last.get(account)
        if last is None or last.error is None:
            return Found(message="Jules answers.")
        return Found(status=HealthStatus.UNHEALTHY, message=last.error.message)

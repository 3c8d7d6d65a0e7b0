"""How many requests somebody may send: counted over a moving minute, in memory or in Redis."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jules_job_manager.domain.health import Found, HealthStatus
from jules_job_manager.domain.masking import masked
from jules_job_manager.errors import ConfigurationError, RateLimitedError
from jules_job_manager.ports.clock import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

_LOG = logging.getLogger(__name__)
WINDOW_SECONDS = 60
REDIS_RESTS_SECONDS = 5.0
"""After Redis failed, requests are counted in memory for so long before it is asked again."""
_ANSWER_SECONDS = 0.5
_MOST_CONNECTIONS = 10_000
"""One for each request that is being counted; too few would pass for a Redis that is away."""
IN_MEMORY = "memory"
"""The setting that says: each server process counts for itself, although there is a Redis."""
_LOOK = RateLimitItemPerMinute(1000)
_STATE = "jjm_standing"
LIMIT_HEADERS = (
    "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit",
)  # fmt: skip
"""What `Standing.headers` gives, in its order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitRules:
    """How many requests a minute are taken."""

    per_minute: int = 100
    anonymous_per_minute: int = 60
    failed_sign_ins_per_minute: int = 10
    endpoints: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Method and path of a route to its own limit."""
    exempt_admins: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where somebody stands against one limit after a request."""

    policy: str
    """`default`, `anonymous`, `sign-in`, or the method and path of an endpoint."""
    limit: int
    remaining: int
    reset_seconds: int
    """Until the oldest counted request is a minute old."""
    reset_at: int
    """The same as seconds since 1970."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that say so.

        `X-RateLimit-Reset` is in seconds since 1970, as GitHub has it. `RateLimit` and
        `RateLimit-Policy` are those of draft-ietf-httpapi-ratelimit-headers-11 (2026-05).
        """
        name = f'"{self.policy}"'
        values = (
            str(self.limit), str(self.remaining), str(self.reset_at),
            f"{name};q={self.limit};w={WINDOW_SECONDS}",
            f"{name};r={self.remaining};t={self.reset_seconds}",
        )  # fmt: skip
        return [
            (key.lower().encode("ascii"), value.encode("ascii"))
            for key, value in zip(LIMIT_HEADERS, values, strict=True)
        ]


class RateLimits:
    """Counts requests. When Redis is away, each process counts for itself until it is back."""

    def __init__(self, rules: LimitRules, *, clock: Clock, storage: str = "") -> None:
        """Open the storage; Redis is not asked before the first request.

        Args:
            rules: The limits.
            clock: Tells when Redis is asked again.
            storage: Empty for memory, or an address as `redis.url` has it.

        Raises:
            ConfigurationError: the address cannot be used.
            MissingExtraError: it is Redis, and its library is not installed.
        """
        self.rules = rules
        self._clock = clock
        self._memory = MovingWindowRateLimiter(MemoryStorage())
        self._redis: Redis | None = None
        self._shared: MovingWindowRateLimiter | None = None
        if storage:
            self._redis, self._shared = _shared(storage)
        self._rests_until = -math.inf
        self._is_away = False
        self._failures: tuple[type[BaseException], ...] = (StorageError, OSError)
        if self._shared is not None:
            base = self._shared.storage.base_exceptions
            self._failures += base if isinstance(base, tuple) else (base,)

    @property
    def is_degraded(self) -> bool:
        """Whether Redis is configured and away, so that each process counts for itself."""
        return self._shared is not None and self._clock.monotonic_seconds() < self._rests_until

    async def look(self) -> Found:
        """Say, as a check of health, where requests are counted; this look is counted, too.

        Otherwise a server whose requests are all exempt, or none, would not notice that Redis went
        away, or came back.
        """
        if self._shared is not None:
            await self._counted(_LOOK, "health")
        if self._is_away:
            return Found(
                status=HealthStatus.DEGRADED,
                message="Redis is away, so each process counts requests for itself.",
            )
        where = "in memory" if self._shared is None else "in Redis"
        return Found(message=f"Requests are counted {where}.")

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            from jules_job_manager.adapters.redis_client import close_redis

            await close_redis(self._redis)

    async def hit(self, policy: str, amount: int, who: str) -> Standing:
        """Count a request.

        Args:
            policy: The name of the limit.
            amount: How many a minute are taken.
            who: Whom it is counted for.

        Returns:
            Where they stand; a request that is refused is not counted.

        Raises:
            RateLimitedError: it is one too many.
        """
        item = RateLimitItemPerMinute(amount)
        is_taken, reset, remaining = await self._counted(item, policy, who)
        now = time.time()  # the library's own clock, whose moments `reset` is one of
        seconds = min(WINDOW_SECONDS, max(1, math.ceil(reset - now)))
        standing = Standing(
            policy=policy, limit=amount, remaining=max(0, remaining) if is_taken else 0,
            reset_seconds=seconds, reset_at=math.ceil(now + seconds),
        )  # fmt: skip
        if not is_taken:
            raise RateLimitedError(
                f"There were more than {amount} requests in a minute.", retry_after_seconds=seconds,
                hint=f"Wait {seconds} seconds.", context={"standing": standing},
            )  # fmt: skip
        return standing

    async def _counted(self, item: RateLimitItem, *names: str) -> tuple[bool, float, int]:
        if self._shared is not None and not self.is_degraded:
            try:
                found = await self._asked_twice(item, names)
            except self._failures as exc:
                self._rests_until = self._clock.monotonic_seconds() + REDIS_RESTS_SECONDS
                self._is_away = True
                _LOG.warning("requests are counted in memory, Redis is away: %s", masked(str(exc)))
            else:
                self._is_away = False
                return found
        return await _hit(self._memory, item, names)

    async def _asked_twice(
        self, item: RateLimitItem, names: Sequence[str]
    ) -> tuple[bool, float, int]:
        """Ask Redis, and again at once over a new connection when the one at hand was dead."""
        assert self._shared is not None
        try:
            return await _hit(self._shared, item, names)
        except self._failures as exc:
            if "Timeout" in type(getattr(exc, "storage_error", exc)).__name__:
                raise
            return await _hit(self._shared, item, names)


async def _hit(
    limiter: MovingWindowRateLimiter, item: RateLimitItem, names: Sequence[str]
) -> tuple[bool, float, int]:
    is_taken = await limiter.hit(item, *names)
    stats = await limiter.get_window_stats(item, *names)
    return is_taken, stats.reset_time, stats.remaining


def _shared(address: str) -> tuple[Redis, MovingWindowRateLimiter]:
    """Return a client of Redis, and what counts through its connections.

    Our client, because the library reads addresses of Sentinels otherwise and would ask a replica,
    which is behind, how many requests there were.
    """
    from jules_job_manager.adapters.redis_client import open_redis

    client = open_redis(
        address, timeout_seconds=_ANSWER_SECONDS, connections=_MOST_CONNECTIONS,
        setting="rate_limits.storage",
    )  # fmt: skip
    pool: dict[str, Any] = {"connection_pool": client.connection_pool}
    storage = RedisStorage(
        "async+redis://", implementation="redispy", key_prefix="jjm:limits", **pool
    )
    return client, MovingWindowRateLimiter(storage)


def endpoint_limits(texts: Sequence[str]) -> dict[tuple[str, str], int]:
    """Read `METHOD PATH=PER_MINUTE`.

    Raises:
        ConfigurationError: a text is something else.
    """
    found: dict[tuple[str, str], int] = {}
    for text in texts:
        route, _, amount = text.rpartition("=")
        method, _, path = route.strip().partition(" ")
        amount, path = amount.strip(), path.strip()
        if (
            not path.startswith("/")
            or not (amount.isascii() and amount.isdecimal())
            or int(amount) < 1
        ):
            raise ConfigurationError(
                f"rate_limits.endpoints has {text!r}, which cannot be read.",
                hint="Write METHOD PATH=PER_MINUTE, for example POST /api/v1/tasks=20.",
            )
        found[method.upper(), path] = int(amount)
    return found


def note_standing(scope: Scope, standing: Standing) -> None:
    """Let the answer to this request tell where its sender stands."""
    scope.setdefault("state", {})[_STATE] = standing


class AccessHeaders:
    """ASGI middleware that adds to answers where the sender stands, and to 401 how to sign in."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`, outside of what answers errors."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                if message["status"] == 401 and b"www-authenticate" not in names:
                    # Source: RFC 6750, section 3.
                    headers.append((b"www-authenticate", b'Bearer realm="jjm"'))
                standing = state.get(_STATE)
                if isinstance(standing, Standing):
                    headers += standing.headers()
                    if message["status"] == 429 and b"retry-after" not in names:
                        headers.append(
                            (b"retry-after", str(standing.reset_seconds).encode("ascii"))
                        )
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, answering)

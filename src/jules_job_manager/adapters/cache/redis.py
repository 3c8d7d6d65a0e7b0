"""A cache in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jules_job_manager.adapters.redis_client import close_redis
from jules_job_manager.domain.masking import masked
from jules_job_manager.ports.cache import Found

if TYPE_CHECKING:
    from redis.asyncio import Redis

STAMP_SECONDS = 3600
"""How long a stamp is kept: longer than any reading of the store takes."""
_PUT = """
if (redis.call('GET', KEYS[2]) or '') == ARGV[3] then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
"""


class RedisCache:
    """The Cache port on Redis."""

    name = "redis"

    def __init__(self, client: Redis) -> None:
        """Use a client, which is closed with the cache."""
        self._client = client
        self._put = client.register_script(_PUT)
        self._troubles: dict[str, str] = {}
        """Why it cannot be read, and why not written: one may work while the other does not."""

    @property
    def trouble(self) -> str:
        """Why it does not work just now, one sentence, or empty."""
        return next(iter(self._troubles.values()), "")

    async def get(self, key: str) -> Found:
        """Return what is kept under the key."""
        from redis.exceptions import RedisError

        try:
            value, stamp = await self._client.mget(key, _stamp(key))
        except (RedisError, OSError) as exc:
            self._is_away("read", exc)
            return Found(value=None, stamp="away", is_away=True)
        self._troubles.pop("read", None)
        return Found(value=_text(value), stamp=_text(stamp) or "")

    async def put(self, key: str, value: str, *, seconds: float, stamp: str) -> None:
        """Keep a value, unless the key was forgotten since `stamp` was read."""
        from redis.exceptions import RedisError

        try:
            await self._put(keys=[key, _stamp(key)], args=[value, int(seconds * 1000), stamp])
        except (RedisError, OSError) as exc:
            self._is_away("write", exc)
        else:
            self._troubles.pop("write", None)

    async def forget(self, keys: Sequence[str]) -> None:
        """Forget these."""
        from redis.exceptions import RedisError

        if not keys:
            return
        pipe = self._client.pipeline(transaction=True)
        for key in keys:
            pipe.incr(_stamp(key))
            pipe.expire(_stamp(key), STAMP_SECONDS)
        pipe.delete(*keys)
        try:
            await pipe.execute()
        except (RedisError, OSError) as exc:
            self._is_away("write", exc)
        else:
            self._troubles.pop("write", None)

    async def aclose(self) -> None:
        """Close the pool."""
        await close_redis(self._client)

    def _is_away(self, direction: str, exc: Exception) -> None:
        words = masked(str(exc).strip() or type(exc).__name__)
        self._troubles[direction] = f"Redis is away, so the store is asked each time: {words}"


def _stamp(key: str) -> str:
    return f"{key}:stamp"


def _text(value: bytes | str | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value

"""Opening Redis: one client with its pool, from an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jules_job_manager.domain.masking import masked
from jules_job_manager.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from redis.asyncio import Redis

SENTINEL_SCHEME = "redis+sentinel"
SENTINEL_PORT = 26379
_HINT = (
    "Write redis://host:6379/0 (redis://USER:PASSWORD@host:6379/0), rediss://… for TLS, unix:///path, or "
    "redis+sentinel://host:26379,host:26379/service/0."
)


def open_redis(
    url: str, *, timeout_seconds: float, connections: int, setting: str = "redis.url"
) -> Redis:
    """Return a client; nothing is connected yet.

    With Sentinel, user and password are those of the server, and `?sentinel_password=…` that of
    the Sentinels. `redis+unix://` is another word for `unix://`.

    Args:
        url: The address.
        timeout_seconds: Longest wait for a connection or an answer, > 0.
        connections: Most connections at once, >= 1.
        setting: Where the address is from, for what is said of a wrong one.

    Raises:
        MissingExtraError: the extra `redis` is not installed.
        ConfigurationError: it is no address of Redis.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as exc:
        raise MissingExtraError("Redis", "redis") from exc
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "health_check_interval": 30,
        "retry": Retry(NoBackoff(), 1),  # a connection that was closed meanwhile: once more
    }
    try:
        if urlsplit(url).scheme == SENTINEL_SCHEME:
            return _by_sentinel(url, options, connections)
        plain = url.removeprefix("redis+") if url.startswith("redis+unix:") else url
        return Redis.from_url(plain, max_connections=connections, **options)
    except ValueError as exc:
        raise ConfigurationError(
            f"{setting} {masked(url)!r} is no address of Redis: {masked(str(exc))}", hint=_HINT
        ) from exc


async def close_redis(client: Redis) -> None:
    """Close the client's connections, and those to its Sentinels."""
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    await client.aclose()
    for sentinel in manager.sentinels if manager is not None else ():
        await sentinel.aclose()


def _by_sentinel(url: str, options: dict[str, Any], connections: int) -> Redis:
    """Return a client that asks the Sentinels where its server is.

    Raises:
        ValueError: the address is none of Sentinels.
    """
    from redis.asyncio.sentinel import Sentinel

    parts = urlsplit(url)
    account, _, hosts = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    service, _, number = parts.path.strip("/").partition("/")
    query = dict(parse_qsl(parts.query))
    places = [_place(host) for host in hosts.split(",")]
    database = int(number or 0)
    if not service or not all(host for host, _ in places):
        raise ValueError("It names no service or no Sentinel")
    own = {"password": query["sentinel_password"]} if "sentinel_password" in query else {}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        places, sentinel_kwargs={**options, **own}, **options
    )
    client: Redis = sentinel.master_for(
        service, db=database, username=unquote(user) or None, password=unquote(password) or None,
        max_connections=connections,
    )  # fmt: skip
    return client


def _place(text: str) -> tuple[str, int]:
    """Read `host`, `host:port` or `[address]:port`.

    Raises:
        ValueError: the port is no number.
    """
    found = urlsplit(f"//{text}")
    return found.hostname or "", found.port or SENTINEL_PORT

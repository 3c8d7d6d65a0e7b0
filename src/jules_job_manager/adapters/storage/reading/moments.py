"""Times between PostgreSQL's wire and RFC 3339, without a `datetime` between: a page has hundreds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts from here, in microseconds. Source: asyncpg, docstring of `set_type_codec`, read 2026-11."""
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


async def take_moments_as_texts(connection: Any) -> None:
    """Let an asyncpg connection give each `timestamptz` as `to_rfc3339` writes it; it takes datetimes."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", format="tuple", encoder=as_sent,
        decoder=lambda sent: moment_sent(sent[0]),
    )  # fmt: skip


def moment_sent(microseconds: int) -> str:
    """Return the time so many microseconds after the beginning of 2000, in RFC 3339."""
    days, rest = divmod(microseconds, _DAY)
    seconds, fraction = divmod(rest, _SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_day(days)}T{hours:02}:{minutes:02}:{seconds:02}.{fraction:06}Z"


def as_sent(moment: datetime) -> tuple[int]:
    """Return an aware time as PostgreSQL takes it, in microseconds.

    Raises:
        TypeError: it has no time zone.
    """
    return ((moment - _FIRST) // timedelta(microseconds=1),)


@lru_cache(maxsize=1024)
def _day(number: int) -> str:
    return (date(2000, 1, 1) + timedelta(days=number)).isoformat()

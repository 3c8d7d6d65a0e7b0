"""Points in time: always aware, always UTC, written as RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def require_aware(moment: datetime) -> datetime:
    """Return `moment` in UTC.

    Raises:
        ValueError: `moment` has no time zone, or is outside the years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a time zone is missing from {moment.isoformat()}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999") from exc


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return an aware `moment` in `zone` (None: the machine's), or as it is where its years end."""
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):  # ValueError: what the machine's zone says of year 0
        return moment


def to_rfc3339(moment: datetime) -> str:
    """Return `moment` as `YYYY-MM-DDTHH:MM:SS.ffffffZ` (always six digits, so text order is time order).

    Raises:
        ValueError: `moment` has no time zone.
    """
    return require_aware(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time with 0 to 9 fraction digits; digits past microseconds are cut.

    A text without a time zone is taken as UTC, as the stores of older versions wrote it.

    Raises:
        ValueError: `text` is not such a time.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{text!r} is outside the years 1 to 9999") from exc


def optional_from_rfc3339(text: str | None) -> datetime | None:
    """Like `from_rfc3339`, with None (or an empty text) for None."""
    return from_rfc3339(text) if text else None


def optional_to_rfc3339(moment: datetime | None) -> str | None:
    """Like `to_rfc3339`, with None for None."""
    return None if moment is None else to_rfc3339(moment)

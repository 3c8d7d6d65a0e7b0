"""How long GitHub wants to be left alone, from one answer.

Source: docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api, "Exceeding the rate
limit", read 2026-11: 403 or 429; `retry-after` in seconds counts first, then `x-ratelimit-reset`
(UTC epoch seconds) where `x-ratelimit-remaining` is 0, else a minute, longer each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

LEAST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3600.0


def pause_seconds(
    status: int, headers: Mapping[str, str], message: str, *, now: datetime, attempt: int
) -> float | None:
    """Return for how many seconds nothing may be asked, >= 0; None when no limit was reached.

    Args:
        status: Of the answer.
        headers: Of the answer; names in small letters, or without regard to case.
        message: What GitHub says in the body.
        now: The time, aware UTC.
        attempt: How many times the request was made, from 1.
    """
    if status not in {403, 429}:
        return None
    retry_after = _number(headers.get("retry-after"))
    if retry_after is not None:
        return retry_after
    reset = used_up_until(headers, now=now)
    if reset is not None:
        return reset
    if status == 429 or "rate limit" in message.casefold():
        return min(LEAST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE_SECONDS)
    return None


def used_up_until(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return in how many seconds, >= 0, the used up quota of requests is full again.

    None: it is not used up, or GitHub does not say.
    """
    if headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    reset = _number(headers.get("x-ratelimit-reset"))
    return None if reset is None else max(reset - now.timestamp(), 0.0)


def _number(text: str | None) -> float | None:
    """Return a number >= 0, or None."""
    text = (text or "").strip()
    return float(text) if text.isdecimal() and len(text) < 15 else None

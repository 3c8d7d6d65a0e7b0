"""How JavaScript cuts, counts and writes, where the real server's texts show it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_LONE = re.compile(r"[\ud800-\udfff]")


def cut(text: str, units: int) -> str:
    """Return the first `units` UTF-16 units; a pair that is cut leaves its lone half."""
    raw = text.encode("utf-16-le", errors="surrogatepass")[: units * 2]
    return raw.decode("utf-16-le", errors="surrogatepass")


def length(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def stringify(value: Any, *, indent: int | None = None) -> str:
    """Return JSON as JSON.stringify writes it: lone halves of pairs escaped, the rest as it is."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def first(items: list[Any], limit: object) -> list[Any]:
    """Return `items.slice(0, limit)`: negative counts from the end, text is a number or 0."""
    try:
        number = float(limit) if isinstance(limit, int | float | str) else 0.0
    except ValueError:
        number = 0.0
    if math.isnan(number):
        number = 0.0
    end = len(items) if number >= len(items) else int(number)
    return items[:end]


def iso(moment: datetime) -> str:
    """Return what Date.toISOString gives: milliseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def locale_date(text: object, environ: Mapping[str, str] = os.environ) -> str:
    """Return what toLocaleDateString gives in this process' time zone and locale."""
    try:
        moment = datetime.fromisoformat(str(text)).astimezone()
    except (ValueError, OverflowError):
        return "Invalid Date"
    year, month, day = moment.year, moment.month, moment.day
    locale = environ.get("LC_ALL") or environ.get("LC_TIME") or environ.get("LANG") or "C"
    forms = {
        "de": f"{day}.{month}.{year}",
        "ja": f"{year}/{month}/{day}",
        "en_GB": f"{day:02d}/{month:02d}/{year}",
    }
    return forms.get(locale[:5]) or forms.get(locale[:2]) or f"{month}/{day}/{year}"

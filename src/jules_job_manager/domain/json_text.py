"""Values as JSON text."""

from __future__ import annotations

import json
from typing import Any


def text_of(value: Any) -> str:
    """Return the compact JSON text of what a `to_dict` yields, in ASCII: the form that stores keep."""
    return json.dumps(value, separators=(",", ":"))


def finite(text: str) -> str:
    """Return a JSON text with null for each number that JSON has not, which `text_of` writes all the same."""
    if "NaN" in text or "Infinity" in text:
        return text_of(json.loads(text, parse_constant=lambda _: None))
    return text

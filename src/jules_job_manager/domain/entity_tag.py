"""Entity tags: a short text that changes whenever a value does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def entity_tag(value: Mapping[str, Any]) -> str:
    """Return the entity tag of JSON values, in its quotes.

    Source: RFC 9110, 8.8.3 (a strong validator: the same text only for the same values).
    """
    return text_tag(json.dumps(value, sort_keys=True, separators=(",", ":")))


def text_tag(text: str) -> str:
    """Return the entity tag of an answer that is this ASCII text, in its quotes."""
    return f'"{hashlib.sha256(text.encode("ascii")).hexdigest()[:32]}"'

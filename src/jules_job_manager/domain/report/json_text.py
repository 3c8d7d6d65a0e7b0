"""JSON that may stand anywhere: in a file, on a terminal, in a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def json_text(value: Mapping[str, Any]) -> str:
    """Return `value` as indented ASCII JSON with a line end.

    `<`, `>` and `&` stand only in texts, so escaping them there changes nothing for a reader and
    keeps markup out of a page that embeds the document.
    """
    text = json.dumps(value, indent=2, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"

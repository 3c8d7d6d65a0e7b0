"""Values as JSON text."""

from __future__ import annotations

import json
from typing import Any


def text_of(value: Any) -> str:
    """Return the compact JSON text of what a `to_dict` yields, in ASCII: the form that stores keep."""
    return json.dumps(value, separators=(",", ":"))

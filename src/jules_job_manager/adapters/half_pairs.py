"""Half surrogate pairs in JSON: no store and no terminal takes them, and some parsers refuse them."""

from __future__ import annotations

import re
from itertools import pairwise

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")


def repaired(line: str) -> str:
    r"""Return a line of JSON with every `\uD8xx` escape that lacks its other half as `\ufffd`."""
    if "\\ud" not in line and "\\uD" not in line:
        return line
    parts: list[str] = []
    end = 0
    found = list(_ESCAPE.finditer(line))
    paired: set[int] = set()
    for first, second in pairwise(found):
        adjacent = first.end() == second.start() and first.start() not in paired
        if adjacent and _half(first) == "high" and _half(second) == "low":
            paired |= {first.start(), second.start()}
    for escape in found:
        if _half(escape) and escape.start() not in paired:
            parts += [line[end : escape.start()], "\\ufffd"]
            end = escape.end()
    return "".join([*parts, line[end:]])


def _half(escape: re.Match[str]) -> str:
    code = int(escape[1], 16) if escape[1] else 0
    if 0xD800 <= code < 0xDC00:
        return "high"
    return "low" if 0xDC00 <= code < 0xE000 else ""

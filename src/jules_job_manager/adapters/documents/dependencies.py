"""Dependencies as people write them: keys, ranges, remarks and a few words around them."""

from __future__ import annotations

import re

from jules_job_manager.adapters.documents.labels import KEY, normal_key, without_links
from jules_job_manager.adapters.documents.statuses import DASHES
from jules_job_manager.adapters.documents.text import repaired

_EXACT_KEY = re.compile(KEY, re.IGNORECASE)
_PLURAL = re.compile(r"\b(task|ticket|job|issue)s[ \t]+(?=\#?[0-9])", re.IGNORECASE)
_BEFORE = re.compile(
    r"(?:(?:after|then|needs|requires|depends on|waits for|blocked by)[ \t]+)+", re.IGNORECASE
)
_BEHIND = re.compile(
    r"(?:[ \t]+(?:is|are|must be|to be|being))?[ \t]+(?:completed?|done|finished|merged|first)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"({KEY})[ \t]*(?:\bto\b|\bthrough\b|-|\u2013|\u2014|\.\.)[ \t]*({KEY}|\#?[0-9]+)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\#?[0-9]+")
_NONE = frozenset({"none", "none yet", "no", "no dependencies", "n/a", "nothing", "nil", *DASHES})
_LONGEST_RANGE = 1000


def parse_dependencies(value: str) -> tuple[list[str], list[str]]:
    """Return the keys that `value` names, and the words in it that are not understood.

    Remarks in brackets are ignored. `None` and `-` mean none. `JJM-002 to JJM-004` is a range;
    in `Tasks 1, 2 and 4` a bare number has the word before it.
    """
    text = without_links(repaired(value)).replace("`", "").replace("**", "")
    text = _PLURAL.sub(r"\1 ", re.sub(r"\([^()]*\)", " ", text))
    keys: list[str] = []
    unknown: list[str] = []
    for raw in re.split(r"[,;&+]|\band\b", text, flags=re.IGNORECASE):
        part = raw.strip().rstrip(".").rstrip()
        if not part or part.casefold() in _NONE:
            continue
        named = _named(part, keys)
        keys += named
        if not named:
            unknown.append(part)
    return list(dict.fromkeys(keys)), unknown


def _named(part: str, before: list[str]) -> list[str]:
    """Return the keys of one part; none when it is not understood. `before` are those so far."""
    start = _BEFORE.match(part)
    core = part[start.end() :] if start else part
    end = next((m for m in _BEHIND.finditer(core) if m.end() == len(core)), None)
    core = core[: end.start()] if end else core
    if _EXACT_KEY.fullmatch(core):
        return [normal_key(core)]
    if _NUMBER.fullmatch(core) and before and " " in before[-1]:
        return [normal_key(f"{before[-1].split()[0]} {core}")]
    return _range(core)


def _range(part: str) -> list[str]:
    match = _RANGE.fullmatch(part)
    if match is None:
        return []
    first = normal_key(match[1])
    until = match[2]
    if _NUMBER.fullmatch(until):
        if " " not in first:
            return []
        until = f"{first.split()[0]} {until}"
    last = normal_key(until)
    low, high = (re.search(r"\d+$", key) for key in (first, last))
    assert low is not None
    assert high is not None
    stem = first[: low.start()]
    span = int(high[0]) - int(low[0])
    if stem != last[: high.start()] or not 0 < span <= _LONGEST_RANGE:
        return []
    return [f"{stem}{n:0{len(low[0])}d}" for n in range(int(low[0]), int(high[0]) + 1)]

"""A unified diff of one file as numbered lines, cut around what matters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_AROUND = 5
"""Lines kept before and after one that has a finding."""


class LineKind(StrEnum):
    """What a line of a diff is."""

    HUNK = "hunk"
    ADDED = "added"
    REMOVED = "removed"
    CONTEXT = "context"
    NOTE = "note"
    """Git's remark that a file has no newline at its end."""
    GAP = "gap"
    """Lines that are left out; `text` says how many."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line. `old` and `new` are its numbers in base and merge result; 0: it is not there."""

    kind: LineKind
    text: str
    old: int = 0
    new: int = 0


def diff_lines(diff: str) -> list[DiffLine]:
    """Return the lines of all hunks. What is no hunk (headers, other texts) is skipped."""
    return list(_read(diff))


def cut_around(lines: list[DiffLine], wanted: Collection[int], limit: int) -> list[DiffLine]:
    """Return at most `limit` (>= 0) of the lines, those near the `wanted` new numbers first.

    Gaps are marked by a line of kind `GAP`, which does not count.
    """
    if len(lines) <= limit:
        return lines
    near: set[int] = set()
    for index, line in enumerate(lines):
        if line.new in wanted and line.new:
            near.update(range(index - _AROUND, index + _AROUND + 1))
    order = sorted(range(len(lines)), key=lambda index: (index not in near, index))
    kept: list[DiffLine] = []
    after = 0
    for index in [*sorted(order[:limit]), len(lines)]:
        if index > after:
            kept.append(DiffLine(LineKind.GAP, left_out(index - after)))
        kept.extend(lines[index : index + 1])
        after = index + 1
    return kept


def left_out(count: int) -> str:
    """Return how many lines are left out, in words."""
    return f"… {count} {'line is' if count == 1 else 'lines are'} left out"


def _read(diff: str) -> Iterator[DiffLine]:
    old = new = old_left = new_left = 0
    for line in diff.split("\n"):
        mark, text = line[:1], line[1:]
        if line.startswith("\\"):
            yield DiffLine(LineKind.NOTE, text.strip())
        elif old_left <= 0 and new_left <= 0:
            found = _HUNK.match(line)
            if found:
                old, old_left = int(found[1]), int(found[2] or 1)
                new, new_left = int(found[3]), int(found[4] or 1)
                yield DiffLine(LineKind.HUNK, line)
        elif mark == "+":
            yield DiffLine(LineKind.ADDED, text, new=new)
            new, new_left = new + 1, new_left - 1
        elif mark == "-":
            yield DiffLine(LineKind.REMOVED, text, old=old)
            old, old_left = old + 1, old_left - 1
        else:
            yield DiffLine(LineKind.CONTEXT, text, old=old, new=new)
            old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1

"""Where a prompt's fence really ends.

CommonMark ends a fence at the first line of enough back-ticks, so a prompt that quotes code in
a fence of its own ends too early. People mean the fence that stands before the next label,
heading or rule; that is what is looked for here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jules_job_manager.adapters.documents.labels import is_known_label, parse_heading, parse_label

_USUAL_LENGTH = 3
_RULES = ("---", "***", "___")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptEnd:
    """`content_end` is the line of the closing fence, `end` the line after it (from 0)."""

    content_end: int
    end: int
    problem: str = ""


@dataclass(kw_only=True, slots=True)
class _Scan:
    line_at: Callable[[int], str]
    end_line: int
    fence: str
    inner_is_open: bool = False
    inner_is_plain: bool = False
    last_plain: int | None = None


def find_prompt_end(line_at: Callable[[int], str], line: int, end_line: int) -> PromptEnd | None:
    """Return the end of the fence that opens at `line`, or None when no fence opens there.

    A fence with a language opens an inner one, a plain one closes it. A plain fence outside
    an inner one ends the prompt when a label, heading, rule or the end of the text follows,
    and otherwise opens an inner one. At the next job's heading the last plain fence is taken.
    Who opens with more than three characters means the rule of CommonMark, which is then kept.
    """
    fence = _fence_of(line_at(line))
    if fence is None:
        return None
    if len(fence[0]) > _USUAL_LENGTH:
        for number in range(line + 1, end_line):
            mark, info = _fence_of(line_at(number)) or ("", "")
            if mark.startswith(fence[0]) and not info:
                return PromptEnd(content_end=number, end=number + 1)
    scan = _Scan(line_at=line_at, end_line=end_line, fence=fence[0])
    for number in range(line + 1, end_line):
        text = line_at(number)
        if text[:1] in {"#", "*"} and _is_over(scan, text):
            return _fallback(scan, number)
        if _fence_of(text) is not None and _closes(scan, number, text):
            return PromptEnd(content_end=number, end=number + 1)
    return _fallback(scan, end_line)


def _closes(scan: _Scan, number: int, text: str) -> bool:
    mark, info = _fence_of(text) or ("", "")
    if mark[0] != scan.fence[0] or len(mark) < len(scan.fence):
        return False
    if scan.inner_is_open:
        if not info:
            scan.inner_is_open = False
            scan.last_plain = number
        return False
    if not info:
        scan.last_plain = number
        if _boundary_follows(scan, number):
            return True
    scan.inner_is_open, scan.inner_is_plain = True, not info
    return False


def _is_over(scan: _Scan, text: str) -> bool:
    """Whether the section ends at this line, so that the prompt must have ended before it."""
    heading = parse_heading(text)
    if heading is not None:
        return heading.level > 1 and bool(heading.key)
    if not (scan.inner_is_open and scan.inner_is_plain):
        return False
    label = parse_label(text)
    return label is not None and is_known_label(label)


def _fallback(scan: _Scan, stop: int) -> PromptEnd:
    if scan.last_plain is None:
        return PromptEnd(content_end=stop, end=stop, problem="the prompt's fence is not closed")
    return PromptEnd(
        content_end=scan.last_plain,
        end=scan.last_plain + 1,
        problem="it is not clear which fence closes the prompt; the last one before the next "
        "label or heading was taken",
    )


def _boundary_follows(scan: _Scan, number: int) -> bool:
    for following in range(number + 1, scan.end_line):
        text = scan.line_at(following).strip()
        if text:
            return (
                parse_label(text) is not None
                or parse_heading(text) is not None
                or (text.replace(" ", "")[:3] in _RULES and len(set(text) - {" "}) == 1)
            )
    return True


def _fence_of(line: str) -> tuple[str, str] | None:
    """Return the fence's characters and its info text, or None when it is no fence line."""
    text = line.lstrip(" ")
    if len(line) - len(text) > 3 or not text.startswith(("```", "~~~")):
        return None
    rest = text.lstrip(text[0])
    if text[0] == "`" and "`" in rest:
        return None
    return text[: len(text) - len(rest)], rest.strip()

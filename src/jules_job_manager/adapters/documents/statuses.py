"""What status values of backlog documents say, and how a new one is written beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from jules_job_manager.adapters.documents.text import has_undecodable, repaired
from jules_job_manager.domain.job import JobStatus

DASHES = "-\u2013\u2014"
"""Hyphen, en dash and em dash: people write all three."""
NOT_STARTED = frozenset({JobStatus.READY, JobStatus.BLOCKED, JobStatus.DRAFT})

STATUS_WORDS = {
    "ready": JobStatus.READY,
    "pending": JobStatus.READY,
    "to do": JobStatus.READY,
    "todo": JobStatus.READY,
    "not started": JobStatus.READY,
    "planned": JobStatus.READY,
    "queued": JobStatus.READY,
    "draft": JobStatus.DRAFT,
    "blocked": JobStatus.BLOCKED,
    "starting": JobStatus.STARTING,
    "in progress": JobStatus.RUNNING,
    "work in progress": JobStatus.RUNNING,
    "wip": JobStatus.RUNNING,
    "started": JobStatus.RUNNING,
    "running": JobStatus.RUNNING,
    "sent to jules": JobStatus.RUNNING,
    "needs you": JobStatus.NEEDS_YOU,
    "needs attention": JobStatus.NEEDS_YOU,
    "in review": JobStatus.REVIEWING,
    "under review": JobStatus.REVIEWING,
    "ready for review": JobStatus.REVIEWING,
    "pending review": JobStatus.REVIEWING,
    "awaiting review": JobStatus.REVIEWING,
    "reviewing": JobStatus.REVIEWING,
    "merging": JobStatus.MERGING,
    "complete": JobStatus.DONE,
    "completed": JobStatus.DONE,
    "finished": JobStatus.DONE,
    "done": JobStatus.DONE,
    "merged": JobStatus.DONE,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
"""How a status value begins (lower case, leading signs ignored), and what it means."""

STATUS_TEXTS = {
    JobStatus.DRAFT: "📝 Draft",
    JobStatus.BLOCKED: "⏳ Blocked",
    JobStatus.READY: "📋 Ready for Jules",
    JobStatus.STARTING: "🚀 Starting",
    JobStatus.RUNNING: "🔄 In Progress",
    JobStatus.NEEDS_YOU: "🙋 Needs You",
    JobStatus.REVIEWING: "🔍 In Review",
    JobStatus.MERGING: "🔀 Merging",
    JobStatus.DONE: "✅ Complete",
    JobStatus.FAILED: "❌ Failed",
    JobStatus.CANCELLED: "🚫 Cancelled",
}
"""What is written for a status."""

_SIGNS = {
    "✅": JobStatus.DONE, "✔": JobStatus.DONE, "☑": JobStatus.DONE, "[x]": JobStatus.DONE,
    "🔄": JobStatus.RUNNING, "📋": JobStatus.READY, "🔜": JobStatus.READY, "[ ]": JobStatus.READY,
    "🚫": JobStatus.CANCELLED,
}  # fmt: skip
"""Signs that say one thing to everyone, so that they may stand without words."""

_LEADING_SIGNS = re.compile(r"\A[^a-z0-9]+")
_REMARKS = re.compile(r"<!--.{0,300}?-->|\([^()]*\)")
_LAST_REMARKS = re.compile(r"(?:(?<![ \t])[ \t]*(?:<!--(?:(?!-->).){0,300}-->|\([^()]*\)))+\Z")
_ENDS_READY = frozenset(
    {"", "yet", "for jules", "for work", "to start", "to go", "to send", "to send to jules"}
)
_DOUBT = re.compile(
    r"\d\s*%|(?<![\d/])\d+\s*/\s*\d+(?![\d/])|\d+ of \d+|"
    r"\b(?:almost|awaiting|but|except|nearly|not|partially|partly|pending|remaining|waiting)\b"
)


class Style(StrEnum):
    """How a document writes its status values."""

    SIGNS = "signs"
    """With a sign before the words: `✅ Complete`."""
    WORDS = "words"
    """With words alone, which every encoding can hold."""
    BROKEN = "broken"
    """With signs whose UTF-8 was once read as cp1252, as the whole file was: `âœ… Complete`."""


def parse_status(value: str) -> JobStatus | None:
    """Return what a status value says, or None when that is not sure.

    Remarks in brackets do not count. A job is ready only when nothing else is said (`Ready for
    a second look` is not), and done only when nothing takes it back (`Done but not merged`,
    `Complete 80 %`).
    """
    text = repaired(value).replace("*", " ").replace("`", " ").casefold()
    bare = _REMARKS.sub(" ", text).strip()
    # A broken sign may have swallowed the space after it, so signs go by character, not by word.
    words = _LEADING_SIGNS.sub("", bare).split()
    if not words or bare in _SIGNS:
        return _SIGNS.get(bare.replace("\ufe0f", "").strip())
    for length in (3, 2, 1):
        phrase = " ".join(words[:length]).strip(".,;:!()" + DASHES)
        if len(words) >= length and phrase in STATUS_WORDS:
            rest = " ".join(words[length:]).strip(".,;:! " + DASHES)
            return _unless_doubtful(STATUS_WORDS[phrase], rest, text)
    return None


def _unless_doubtful(status: JobStatus, rest: str, text: str) -> JobStatus | None:
    if status in {JobStatus.READY, JobStatus.BLOCKED}:
        return status if rest in _ENDS_READY else None
    if status is JobStatus.DONE and _DOUBT.search(text):
        return None
    return status


def style_of(value: str) -> Style | None:
    """Return how one value is written; None when it is empty or a dash."""
    if not value.strip(" \t" + DASHES):
        return None
    if value.isascii() or has_undecodable(value):
        return Style.WORDS
    return Style.SIGNS if repaired(value) == value else Style.BROKEN


def common_style(values: Iterable[str], *, is_utf8: bool) -> Style:
    """Return the style for a value that stands nowhere yet, from those that do."""
    found = {style_of(value) for value in values} - {None}
    for style in (Style.BROKEN, Style.SIGNS, Style.WORDS):
        if style in found:
            return style
    return Style.SIGNS if is_utf8 else Style.WORDS


def status_text(status: JobStatus, style: Style) -> str:
    """Return the words for a status. A sign that a broken document would lose is left out."""
    text = STATUS_TEXTS[status]
    words = text.partition(" ")[2]
    if style is Style.WORDS:
        return words
    if style is Style.SIGNS:
        return text
    return broken_like_the_rest(text) or words


def broken_like_the_rest(text: str) -> str | None:
    """Return `text` as a broken document has it, so that one repair mends the whole file.

    None when cp1252 has no character for one of its bytes: the tools that break files drop it.
    """
    try:
        return text.encode().decode("cp1252")
    except UnicodeDecodeError:
        return None


def replaced_status(old: str, status: JobStatus, style: Style) -> str:
    """Return the value to write over `old`: in its own style, with the remarks that end it.

    A remark goes when it would make the new status doubtful.
    """
    new = status_text(status, style_of(old) or style)
    remarks = _LAST_REMARKS.search(old)
    kept = new + remarks[0] if remarks and remarks.start() else new
    return kept if parse_status(kept) is status else new

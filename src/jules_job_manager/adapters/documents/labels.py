"""The words of backlog documents: labels, keys, statuses, priorities, dependencies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.adapters.documents.text import repaired
from jules_job_manager.domain.job import JobStatus, Priority

_LABEL = re.compile(
    r"\*\*(?P<name>[^*]{1,80}?)(?P<inner>:)?\*\*(?:[ \t]*\([^()]*\))?(?P<outer>:)?[ \t]*(?P<value>.*)"
)
_HEADING = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<text>.*?)(?:[ \t]+#+)?[ \t]*")
_KEY = r"(?:(?i:task|ticket|job|issue)[ \t]+\#?[0-9]+|[A-Z][A-Z0-9_]*-[0-9]+)"
_KEYED = re.compile(
    rf"\W*(?P<key>{_KEY})\]?(?:[ \t]*[:.\u2013\u2014][ \t]*|[ \t]+-[ \t]+|(?<=\])[ \t]+|$)(?P<title>.*)"
)
_LISTED = re.compile(rf"(?P<key>{_KEY})[ \t]*:[ \t]*(?P<title>\S.*)")
DASHES = "-\u2013\u2014"
"""Hyphen, en dash and em dash: people write all three."""
_LEADING_SIGNS = re.compile(r"\A[^a-z]+")
_EXACT_KEY = re.compile(_KEY, re.IGNORECASE)
_PRIORITY = re.compile(
    r"\b(?:(critical|high|medium|low)[ \t]+priority|priority[ \t]*:?[ \t]*(critical|high|medium|low))\b",
    re.IGNORECASE,
)

FIELDS = {
    "title": "title",
    "description": "description",
    "goal": "description",
    "acceptance criteria": "checklist",
    "validation checklist": "checklist",
    "checklist": "checklist",
    "dependencies": "dependencies",
    "depends on": "dependencies",
    "estimated effort": "estimate",
    "estimated time": "estimate",
    "estimate": "estimate",
    "effort": "estimate",
    "status": "status",
    "priority": "priority",
    "branch": "branch",
    "github branch": "branch",
    "prompt": "prompt",
    "phase": "information",
    "blocks": "information",
    "notes": "information",
    "technical notes": "information",
    "last updated": "document",
    "maintained by": "document",
    "purpose": "document",
}
"""Label names (lower case) and what they fill. `information` only goes into a composed prompt."""

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
    "running": JobStatus.RUNNING,
    "sent to jules": JobStatus.RUNNING,
    "needs you": JobStatus.NEEDS_YOU,
    "needs attention": JobStatus.NEEDS_YOU,
    "in review": JobStatus.REVIEWING,
    "reviewing": JobStatus.REVIEWING,
    "merging": JobStatus.MERGING,
    "complete": JobStatus.DONE,
    "completed": JobStatus.DONE,
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A line such as `**Status**: Ready`. `column` is where the value begins in the line."""

    name: str
    value: str
    column: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """A heading; `key` is empty when it names no job."""

    level: int
    key: str = ""
    title: str = ""


def parse_label(line: str) -> Label | None:
    """Read one line as a label, or return None. The name is lower case, the value as it stands."""
    match = _LABEL.fullmatch(line) if line.startswith("**") else None
    if match is None or not (match["inner"] or match["outer"]):
        return None
    name = " ".join(repaired(match["name"]).casefold().split())
    return Label(name=name, value=match["value"].rstrip(), column=match.start("value"))


def field_of(label: Label) -> str | None:
    """Return what the label fills: a value of `FIELDS`, `files`, or None when it is not known."""
    if label.name.startswith("prompt for "):
        return "prompt"
    if label.name.startswith("files to ") or label.name == "files":
        return "files"
    return FIELDS.get(label.name)


def is_known_label(label: Label) -> bool:
    """Whether the label means something in a job."""
    return field_of(label) is not None


def is_prompt_label(label: Label) -> bool:
    """Whether a prompt follows."""
    return field_of(label) == "prompt"


def parse_heading(line: str) -> Heading | None:
    """Read one line as a `#` heading, or return None."""
    match = _HEADING.fullmatch(line) if line.startswith("#") else None
    if match is None:
        return None
    key, title = split_key(match["text"])
    return Heading(level=len(match["marks"]), key=key, title=title)


def split_key(text: str) -> tuple[str, str]:
    """Split a heading's text into key and title; the key is empty when it begins with none."""
    match = _KEYED.fullmatch(_unmarked(text))
    if match is None:
        return "", text
    return normal_key(match["key"]), match["title"].strip()


def split_listed(text: str) -> tuple[str, str]:
    """Split `KEY: Title` of a list entry; the key is empty when it is not of that form."""
    match = _LISTED.fullmatch(_unmarked(text))
    return ("", text) if match is None else (normal_key(match["key"]), match["title"].strip())


def _unmarked(text: str) -> str:
    return repaired(text).replace("**", "").strip()


def normal_key(text: str) -> str:
    """Return a key in its usual spelling: `task  2` is `Task 2`, `jjm-7` is `JJM-7`."""
    words = text.replace("#", "").split()
    return text.upper() if len(words) == 1 else f"{words[0].capitalize()} {words[1]}"


def key_prefix(key: str) -> str:
    """Return what keys of one kind share: `Task`, `JJM`."""
    return re.split(r"[ -]", key, maxsplit=1)[0]


def parse_status(value: str) -> JobStatus | None:
    """Return what a status value says, or None when its words are not known."""
    # A broken sign may have swallowed the space after it, so signs go by character, not by word.
    words = _LEADING_SIGNS.sub("", repaired(value).replace("*", " ").casefold()).split()
    for length in (3, 2, 1):
        phrase = " ".join(words[:length]).strip(".,;:!()" + DASHES)
        if len(words) >= length and phrase in STATUS_WORDS:
            return STATUS_WORDS[phrase]
    return None


def parse_priority(value: str) -> Priority | None:
    """Return the priority a value or heading names (`High`, `HIGH PRIORITY (…)`), or None."""
    text = repaired(value).replace("*", " ")
    match = _PRIORITY.search(text)
    if match is not None:
        return Priority((match[1] or match[2]).lower())
    alone = "".join(c for c in text if c.isalpha() and c.isascii()).lower()
    return Priority(alone) if alone in set(Priority) else None


def parse_dependencies(value: str) -> tuple[list[str], list[str]]:
    """Return the keys that `value` names, and the words in it that are not understood.

    Remarks in brackets are ignored. `None` and `-` mean none. `JJM-002 to JJM-004` is a range.
    """
    text = re.sub(r"\([^()]*\)", " ", repaired(value).replace("`", "").replace("**", ""))
    keys: list[str] = []
    unknown: list[str] = []
    for raw in re.split(r"[,;&+]|\band\b", text, flags=re.IGNORECASE):
        part = raw.strip().rstrip(".")
        if not part or part.casefold() in {"none", "n/a", "nothing", *DASHES}:
            continue
        if _EXACT_KEY.fullmatch(part):
            keys.append(normal_key(part))
            continue
        between = _range(part)
        keys.extend(between)
        if not between:
            unknown.append(part)
    return list(dict.fromkeys(keys)), unknown


def _range(part: str) -> list[str]:
    match = re.fullmatch(
        rf"({_KEY})[ \t]*(?:to|through|\u2013|\u2014|\.\.)[ \t]*({_KEY})", part, re.IGNORECASE
    )
    if match is None:
        return []
    first, last = normal_key(match[1]), normal_key(match[2])
    low, high = (re.search(r"\d+$", key) for key in (first, last))
    assert low is not None
    assert high is not None
    stem = first[: low.start()]
    span = int(high[0]) - int(low[0])
    if stem != last[: high.start()] or not 0 < span <= 1000:
        return []
    return [f"{stem}{n:0{len(low[0])}d}" for n in range(int(low[0]), int(high[0]) + 1)]

"""The words of backlog documents: labels, keys, priorities."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.adapters.documents.text import repaired
from jules_job_manager.domain.job import Priority

_LABEL = re.compile(
    r"\*\*(?P<name>[^*]{1,80}?)(?P<inner>:)?\*\*(?:[ \t]*\([^()]*\))?(?P<outer>:)?[ \t]*(?P<value>.*)"
)
_HEADING = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<text>.*?)(?:[ \t]+#+)?[ \t]*")
KEY = r"(?:(?i:task|ticket|job|issue)[ \t]+\#?[0-9]+|[A-Z][A-Z0-9_]*-[0-9]+)"
_KEYED = re.compile(
    rf"\W*(?P<key>{KEY})\]?(?:[ \t]*[:.\u2013\u2014][ \t]*|[ \t]+-[ \t]+|(?<=\])[ \t]+|$)(?P<title>.*)"
)
_BEGUN = re.compile(rf"\W*{KEY}\b")
_LISTED = re.compile(rf"(?P<key>{KEY})[ \t]*:[ \t]*(?P<title>\S.*)")
_SIGNS_AROUND = re.compile(r"\A\W+|\W+\Z")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
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
    "checks": "checks",
    "check": "checks",
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
_BY_HEADING = frozenset(
    {"prompt", "description", "checklist", "checks", "files", "dependencies", "information"}
)


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


def heading_label(text: str) -> Label | None:
    """Read a heading such as `#### Acceptance Criteria` as the label of what stands under it.

    Only for what takes more than one line: a status in a heading has no place to be written to.
    """
    name = " ".join(_SIGNS_AROUND.sub("", _unmarked(text)).casefold().split())
    label = Label(name=name, value="", column=0)
    return label if field_of(label) in _BY_HEADING else None


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


def begins_with_key(text: str) -> bool:
    """Whether a key stands at the beginning, whatever follows it."""
    return _BEGUN.match(_unmarked(text)) is not None


def split_listed(text: str) -> tuple[str, str]:
    """Split `KEY: Title` of a list entry; the key is empty when it is not of that form."""
    match = _LISTED.fullmatch(_unmarked(text))
    return ("", text) if match is None else (normal_key(match["key"]), match["title"].strip())


def without_links(text: str) -> str:
    """Return `text` with each Markdown link (`[Task 1](#task-1)`) as its words alone."""
    return _LINK.sub(r"\1", text) if "](" in text else text


def _unmarked(text: str) -> str:
    """Return a heading's text without bold marks, and with a link at its beginning as words."""
    plain = repaired(text).replace("**", "").strip()
    link = _LINK.match(plain)
    return plain if link is None else link[1] + plain[link.end() :]


def normal_key(text: str) -> str:
    """Return a key in its usual spelling: `task  2` is `Task 2`, `jjm-7` is `JJM-7`."""
    words = text.replace("#", "").split()
    return text.upper() if len(words) == 1 else f"{words[0].capitalize()} {words[1]}"


def key_prefix(key: str) -> str:
    """Return what keys of one kind share: `Task`, `JJM`."""
    return re.split(r"[ -]", key, maxsplit=1)[0]


def parse_priority(value: str) -> Priority | None:
    """Return the priority a value or heading names (`High`, `HIGH PRIORITY (…)`), or None."""
    text = repaired(value).replace("*", " ")
    match = _PRIORITY.search(text)
    if match is not None:
        return Priority((match[1] or match[2]).lower())
    alone = "".join(c for c in text if c.isalpha() and c.isascii()).lower()
    return Priority(alone) if alone in set(Priority) else None

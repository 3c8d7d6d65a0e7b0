"""Reads what a reviewer answered. Nothing in it is believed to be well formed, short or true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.opinion import Opinion, Word
from jules_job_manager.domain.reviewers.request import PROTOCOL
from jules_job_manager.domain.text import safe_text, storable_text

T = TypeVar("T", bound=StrEnum)
MOST_ANSWER_BYTES = 262_144
MOST_FINDINGS = 100
"""Most findings that are kept; the others are counted."""
_MOST_ENTRIES = 10_000
_SENTENCE_CHARACTERS = 1_000
_PATH_CHARACTERS = 4_096


class Decision(StrEnum):
    """What a reviewer says of the delivery as a whole."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNSURE = "unsure"


class UnusableAnswerError(ValueError):
    """The answer cannot be used; the message says why, to be put after `its answer `."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer in the form that was asked for. Its texts are bounded, and safe for a terminal."""

    decision: Decision
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    findings_left_out: int = 0
    opinions: tuple[Opinion, ...] = ()

    @property
    def contradiction(self) -> str:
        """Why an acceptance cannot be meant, in a few words; empty: it can."""
        if self.decision is not Decision.ACCEPT:
            return ""
        if any(finding.level is Level.ERROR for finding in self.findings):
            return "accepts, and names an error"
        if any(opinion.word is Word.NOT_MET for opinion in self.opinions):
            return "accepts, and says that a line of the checklist is not met"
        return ""


def parse_answer(
    data: bytes,
    *,
    rule: str,
    checklist: Sequence[str],
    lines_of: Callable[[str], int | None],
) -> Answer:
    """Return the answer. Members that nobody knows are left alone.

    Args:
        data: What the reviewer printed.
        rule: What its findings are called after.
        checklist: The lines that it was asked about.
        lines_of: Returns how many lines a file has; None: there is no such file.

    Raises:
        UnusableAnswerError: it is no such answer.
    """
    members = _object(_decoded(data), "is not a JSON object")
    protocol = members.get("protocol")
    if isinstance(protocol, bool) or protocol != PROTOCOL:
        raise UnusableAnswerError(f"does not say that it speaks protocol {PROTOCOL}")
    found = [_finding(entry, rule, lines_of) for entry in _list(members, "findings")]
    unique = sorted(dict.fromkeys(found), key=lambda finding: finding.level is not Level.ERROR)
    return Answer(
        decision=_word(Decision, members.get("verdict"), "verdict"),
        summary=_text(members, "summary", multiline=True),
        findings=tuple(unique[:MOST_FINDINGS]),
        findings_left_out=max(0, len(unique) - MOST_FINDINGS),
        opinions=tuple(_opinions(_list(members, "checklist"), checklist)),
    )


def _decoded(data: bytes) -> Any:
    if len(data) > MOST_ANSWER_BYTES:
        raise UnusableAnswerError(f"is longer than {MOST_ANSWER_BYTES} bytes")
    if not data.strip():
        raise UnusableAnswerError("is empty")
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number
        )
    except UnusableAnswerError:
        raise
    except UnicodeDecodeError as exc:
        raise UnusableAnswerError("is not UTF-8 text") from exc
    except json.JSONDecodeError as exc:
        raise UnusableAnswerError(f"is not one JSON object and nothing else ({exc.msg})") from exc
    except (ValueError, RecursionError) as exc:
        raise UnusableAnswerError("is JSON beyond what can be read") from exc


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnusableAnswerError("names a member twice")
    return found


def _no_number(word: str) -> float:
    raise UnusableAnswerError(f"has {word} for a number")


def _object(value: Any, complaint: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnusableAnswerError(complaint)
    return value


def _list(members: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    value = members.get(name)
    entries = [] if value is None else value
    if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES:
        raise UnusableAnswerError(f"has {name} that are no list, or too long a one")
    return [_object(entry, f"has {name} that are no objects") for entry in entries]


def _text(
    members: Mapping[str, Any], name: str, *, limit: int = _SENTENCE_CHARACTERS,
    multiline: bool = False,
) -> str:  # fmt: skip
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnusableAnswerError(f"has a {name} that is no text")
    text = safe_text(storable_text(value[: limit + 1]), multiline=multiline).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _number(members: Mapping[str, Any], name: str) -> int:
    value = members.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnusableAnswerError(f"has a {name} that is no whole number")
    return value


def _word(kind: type[T], value: Any, name: str) -> T:
    try:
        return kind(value)
    except ValueError:
        words = ", ".join(kind)
        raise UnusableAnswerError(f"has a {name} that is none of {words}") from None


def _finding(entry: Mapping[str, Any], rule: str, lines_of: Callable[[str], int | None]) -> Finding:
    message = _text(entry, "message")
    if not message:
        raise UnusableAnswerError("has a finding without a message")
    path, line = entry.get("path") or "", _number(entry, "line")
    if not isinstance(path, str) or len(path) > _PATH_CHARACTERS:
        raise UnusableAnswerError("has a finding whose path is none")
    lines = lines_of(path) if path else 0
    if lines is None:
        raise UnusableAnswerError(f"names a file that is not there ({_shown(path)})")
    if not 0 <= line <= lines:
        raise UnusableAnswerError(
            f"names a line that {_shown(path)} does not have" if path else "names a line of no file"
        )
    level = _word(Level, entry.get("level", "warning"), "level")
    return Finding(rule=rule, message=message, path=path, line=line, level=level)


def _shown(path: str) -> str:
    return safe_text(storable_text(path))[:200]


def _opinions(entries: Iterable[Mapping[str, Any]], checklist: Sequence[str]) -> Iterable[Opinion]:
    seen: set[int] = set()
    for entry in entries:
        item = _number(entry, "item")
        if not 1 <= item <= len(checklist):
            raise UnusableAnswerError("speaks of a line that the checklist does not have")
        if item in seen:
            raise UnusableAnswerError(f"speaks twice of line {item} of the checklist")
        seen.add(item)
        word = _word(Word, entry.get("verdict"), "checklist verdict")
        yield Opinion(line=checklist[item - 1], word=word, evidence=_text(entry, "evidence"))

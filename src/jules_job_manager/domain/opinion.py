"""What a reviewer says about a line of a checklist. It is shown; only where allowed is it proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Word(StrEnum):
    """What is said about a line."""

    MET = "met"
    NOT_MET = "not_met"
    UNSURE = "unsure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What one reviewer says about one line."""

    line: str
    """The line, as it stands in the job's checklist."""
    word: Word
    evidence: str = ""
    """What the reviewer points at, in its words; bounded, and to be escaped where it is shown."""
    counts: bool = False
    """Whether it ticks the line: `may_prove` allows it, and no check could have proved the line."""

    def to_dict(self) -> dict[str, Any]:
        """Return the opinion as JSON values."""
        return {
            "line": self.line,
            "word": self.word.value,
            "evidence": self.evidence,
            "counts": self.counts,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `line` is missing.
            ValueError: the word is not one.
        """
        return cls(
            line=str(data["line"]),
            word=Word(data.get("word", "unsure")),
            evidence=str(data.get("evidence", "")),
            counts=bool(data.get("counts", False)),
        )

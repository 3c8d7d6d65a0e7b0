"""What a check found wrong, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Level(StrEnum):
    """How much a finding matters, in SARIF's words."""

    ERROR = "error"
    """The check fails because of it."""
    WARNING = "warning"
    """Worth a look; it fails nothing."""
    NOTE = "note"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One place, or one missing thing, that a check points at."""

    rule: str
    """Name of the rule, for example `no-stubs`."""
    message: str
    """One sentence for people; it may hold text of the delivery, so faces escape it."""
    path: str = ""
    """Relative to the repository, with `/`; empty: no file in particular."""
    line: int = 0
    """From 1, in the merged file; 0: the file as a whole."""
    level: Level = Level.ERROR

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {
            "rule": self.rule,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "level": self.level.value,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `rule` is missing.
            ValueError: the level is not one.
        """
        return cls(
            rule=str(data["rule"]),
            message=str(data.get("message", "")),
            path=str(data.get("path", "")),
            line=int(data.get("line", 0)),
            level=Level(data.get("level", "error")),
        )

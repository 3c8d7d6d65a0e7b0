"""A plan of Jules and its steps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from jules_job_manager.domain.clockwork import optional_from_rfc3339, optional_to_rfc3339


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanStep:
    """One step of a plan. The order of steps is their order in the plan."""

    id: str = ""
    title: str = ""
    description: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the step as JSON values."""
        return {"id": self.id, "title": self.title, "description": self.description}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; missing members take their defaults."""
        return cls(
            id=str(data.get("id", "")),
            title=str(data.get("title", "")),
            description=str(data.get("description", "")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What Jules proposes to do. A task can have several; the latest counts."""

    id: str = ""
    steps: tuple[PlanStep, ...] = ()
    created_at: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the id and the texts of the steps: what a person approves."""
        digest = hashlib.sha256()
        for text in (self.id, *(part for s in self.steps for part in (s.title, s.description))):
            digest.update(f"{len(text)}:".encode())
            digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "id": self.id,
            "steps": [step.to_dict() for step in self.steps],
            "created_at": optional_to_rfc3339(self.created_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: `created_at` is not a time.
        """
        return cls(
            id=str(data.get("id", "")),
            steps=tuple(PlanStep.from_dict(step) for step in data.get("steps", ())),
            created_at=optional_from_rfc3339(data.get("created_at")),
        )

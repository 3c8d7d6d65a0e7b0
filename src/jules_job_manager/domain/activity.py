"""What happened in a task, as Jules reports it: an immutable, ordered list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from jules_job_manager.domain.artifact import Artifact, artifact_from_dict
from jules_job_manager.domain.clockwork import optional_from_rfc3339, optional_to_rfc3339
from jules_job_manager.domain.plan import Plan


class ActivityKind(StrEnum):
    """The kinds of activity the Jules REST API knows, and `unknown` for all others.

    Source: Jules REST reference v1alpha, Activity (read 2026-11).
    """

    PLAN_GENERATED = "plan_generated"
    PLAN_APPROVED = "plan_approved"
    USER_MESSAGED = "user_messaged"
    AGENT_MESSAGED = "agent_messaged"
    PROGRESS_UPDATED = "progress_updated"
    SESSION_COMPLETED = "session_completed"
    SESSION_FAILED = "session_failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """One thing that happened in a task.

    `message` holds the text of the kind: the chat text, the title of a progress report, the
    reason of a failure. `raw` holds the wire object when something in it is unknown.
    """

    id: str
    task_id: str
    kind: ActivityKind
    created_at: datetime | None = None
    created_at_raw: str = ""
    """The time exactly as Jules wrote it: the cursor for the next look (digits must not be cut)."""
    originator: str = ""
    """`user`, `agent`, `system` or empty, lower case."""
    description: str = ""
    message: str = ""
    plan: Plan | None = None
    plan_id: str = ""
    artifacts: tuple[Artifact, ...] = ()
    raw: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the activity as JSON values."""
        return {
            "id": self.id,
            "task_id": self.task_id,
            "kind": self.kind.value,
            "created_at": optional_to_rfc3339(self.created_at),
            "created_at_raw": self.created_at_raw,
            "originator": self.originator,
            "description": self.description,
            "message": self.message,
            "plan": None if self.plan is None else self.plan.to_dict(),
            "plan_id": self.plan_id,
            "artifacts": [artifact.to_dict() for artifact in self.artifacts],
            "raw": None if self.raw is None else dict(self.raw),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; an unknown kind becomes `unknown` with the data as `raw`.

        Raises:
            KeyError: `id` or `task_id` is missing.
            ValueError: `created_at` is not a time.
        """
        try:
            kind, raw = ActivityKind(data.get("kind", "unknown")), data.get("raw")
        except ValueError:
            kind, raw = ActivityKind.UNKNOWN, data.get("raw") or dict(data)
        plan = data.get("plan")
        return cls(
            id=str(data["id"]),
            task_id=str(data["task_id"]),
            kind=kind,
            created_at=optional_from_rfc3339(data.get("created_at")),
            created_at_raw=str(data.get("created_at_raw", "")),
            originator=str(data.get("originator", "")),
            description=str(data.get("description", "")),
            message=str(data.get("message", "")),
            plan=None if plan is None else Plan.from_dict(plan),
            plan_id=str(data.get("plan_id", "")),
            artifacts=tuple(artifact_from_dict(item) for item in data.get("artifacts", ())),
            raw=raw,
        )

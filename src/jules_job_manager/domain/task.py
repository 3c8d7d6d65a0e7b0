"""A task: one session of Jules, with everything we know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from jules_job_manager.domain.artifact import (
    Artifact,
    ChangeSet,
    PullRequest,
    SourceFile,
    artifact_from_dict,
)
from jules_job_manager.domain.clockwork import (
    optional_from_rfc3339,
    optional_to_rfc3339,
    require_aware,
)
from jules_job_manager.domain.plan import Plan


class TaskStatus(StrEnum):
    """Where a task stands. The backend's own word is kept beside it (`JulesTask.raw_state`)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    WAITING_APPROVAL = "waiting_approval"
    WAITING_FEEDBACK = "waiting_feedback"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_finished(self) -> bool:
        """Whether Jules works no more on its own. COMPLETED may still be revived by a message."""
        return self in {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatMessage:
    """One message of the conversation. `type` is `user`, `jules` or `system`."""

    content: str
    timestamp: datetime | None = None
    type: str = "system"

    def to_dict(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        return {
            "timestamp": optional_to_rfc3339(self.timestamp),
            "content": self.content,
            "type": self.type,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `content` is missing.
            ValueError: `timestamp` is not a time.
        """
        return cls(
            content=str(data["content"]),
            timestamp=optional_from_rfc3339(data.get("timestamp")),
            type=str(data.get("type") or "system"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTask:
    """What is needed to create a task.

    `repository` is `owner/name`, or empty for a task without a repository. `title` is None
    when Jules shall make one from the description.
    """

    description: str
    repository: str = ""
    branch: str = "main"
    title: str | None = None
    require_plan_approval: bool = False
    auto_create_pr: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JulesTask:
    """One session of Jules. Times are aware UTC; None where the backend does not tell."""

    id: str
    title: str = ""
    description: str = ""
    repository: str = ""
    branch: str = ""
    status: TaskStatus = TaskStatus.UNKNOWN
    created_at: datetime | None = None
    updated_at: datetime | None = None
    url: str = ""
    chat_history: tuple[ChatMessage, ...] = ()
    source_files: tuple[SourceFile, ...] = ()
    plan: Plan | None = None
    outputs: tuple[Artifact, ...] = ()
    raw_state: str = ""
    working_branch: str = ""
    require_plan_approval: bool | None = None
    archived: bool = False
    backend: str = ""
    """Name of the backend that the task lives on, so that two of them are never mixed up."""
    seen_at: datetime | None = None
    """When a backend last told us of this task: the age of what is shown from the store."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Members of the backend's answer that this version has no field for, kept raw."""

    def __post_init__(self) -> None:
        for name in ("created_at", "updated_at", "seen_at"):
            moment = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, require_aware(moment))

    @property
    def pull_request(self) -> PullRequest | None:
        """The pull request among the outputs, or None."""
        return next((o for o in self.outputs if isinstance(o, PullRequest)), None)

    @property
    def change_set(self) -> ChangeSet | None:
        """The last change set among the outputs, or None."""
        return next((o for o in reversed(self.outputs) if isinstance(o, ChangeSet)), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the task as JSON values, under the names that scripts rely on."""
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "repository": self.repository,
            "branch": self.branch,
            "status": self.status.value,
            "created_at": optional_to_rfc3339(self.created_at),
            "updated_at": optional_to_rfc3339(self.updated_at),
            "url": self.url,
            "chat_history": [message.to_dict() for message in self.chat_history],
            "source_files": [file.to_dict() for file in self.source_files],
            "plan": None if self.plan is None else self.plan.to_dict(),
            "outputs": [output.to_dict() for output in self.outputs],
            "raw_state": self.raw_state,
            "working_branch": self.working_branch,
            "require_plan_approval": self.require_plan_approval,
            "archived": self.archived,
            "backend": self.backend,
            "seen_at": optional_to_rfc3339(self.seen_at),
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; an unknown status is kept as `raw_state`.

        Raises:
            KeyError: `id` is missing.
            ValueError: a time cannot be read.
        """
        raw_state = str(data.get("raw_state") or "")
        try:
            status = TaskStatus(data.get("status") or "unknown")
        except ValueError:
            status, raw_state = TaskStatus.UNKNOWN, raw_state or str(data["status"])
        plan = data.get("plan")
        texts = ("title", "description", "repository", "branch", "url", "working_branch", "backend")
        return cls(
            id=str(data["id"]),
            status=status,
            created_at=optional_from_rfc3339(data.get("created_at")),
            updated_at=optional_from_rfc3339(data.get("updated_at")),
            chat_history=tuple(ChatMessage.from_dict(m) for m in data.get("chat_history") or ()),
            source_files=tuple(SourceFile.from_dict(f) for f in data.get("source_files") or ()),
            plan=None if plan is None else Plan.from_dict(plan),
            outputs=tuple(artifact_from_dict(o) for o in data.get("outputs") or ()),
            raw_state=raw_state,
            require_plan_approval=data.get("require_plan_approval"),
            archived=bool(data.get("archived", False)),
            seen_at=optional_from_rfc3339(data.get("seen_at")),
            metadata=dict(data.get("metadata") or {}),
            **{name: str(data.get(name) or "") for name in texts},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A repository that Jules may work on. `branches` may be incomplete or empty."""

    name: str
    repository: str = ""
    default_branch: str = ""
    branches: tuple[str, ...] = ()
    is_private: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the source as JSON values."""
        return {
            "name": self.name,
            "repository": self.repository,
            "default_branch": self.default_branch,
            "branches": list(self.branches),
            "is_private": self.is_private,
        }

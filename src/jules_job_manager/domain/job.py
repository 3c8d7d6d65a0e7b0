"""A job: one entry of a backlog, and the attempts made at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from jules_job_manager.domain.clockwork import optional_from_rfc3339, optional_to_rfc3339


class Priority(StrEnum):
    """How urgent a job is. `rank` 0 goes first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for critical to 3 for low."""
        return list(Priority).index(self)


class JobStatus(StrEnum):
    """Where a job stands. `Job.reason` says why, in words for people."""

    DRAFT = "draft"
    """It has no prompt yet, so it is never dispatched."""
    BLOCKED = "blocked"
    """A job it depends on is not done."""
    READY = "ready"
    """It may be dispatched as soon as there is room."""
    STARTING = "starting"
    """The intent to create a task is written; the task is not yet confirmed."""
    RUNNING = "running"
    """Jules works on it."""
    NEEDS_YOU = "needs_you"
    """Nothing moves until a person acts."""
    REVIEWING = "reviewing"
    """A delivery is being checked."""
    MERGING = "merging"
    """The delivery was accepted and is being merged."""
    DONE = "done"
    """Merged, or marked complete in the document it came from."""
    FAILED = "failed"
    """Given up; `reason` says why."""
    CANCELLED = "cancelled"
    """Taken out by a person."""

    @property
    def is_final(self) -> bool:
        """Whether the job is over."""
        return self in {JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED}

    @property
    def holds_slot(self) -> bool:
        """Whether a live attempt is at work for it."""
        return self in {
            JobStatus.STARTING,
            JobStatus.RUNNING,
            JobStatus.NEEDS_YOU,
            JobStatus.REVIEWING,
            JobStatus.MERGING,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFile:
    """A file a job says it will touch. `action` is `create`, `modify`, `delete` or `unknown`."""

    path: str
    action: str = "unknown"
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the file as JSON values."""
        return {"path": self.path, "action": self.action, "note": self.note}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `path` is missing.
        """
        return cls(
            path=str(data["path"]),
            action=str(data.get("action") or "unknown"),
            note=str(data.get("note") or ""),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChecklistItem:
    """One line of a job's validation checklist."""

    text: str
    checked: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the line as JSON values."""
        return {"text": self.text, "checked": self.checked}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `text` is missing.
        """
        return cls(text=str(data["text"]), checked=bool(data.get("checked", False)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One entry of a backlog. `key` names it in the whole queue (`Task 1`, `JJM-007`)."""

    key: str
    title: str = ""
    prompt: str = ""
    priority: Priority = Priority.MEDIUM
    status: JobStatus = JobStatus.DRAFT
    reason: str = ""
    depends_on: tuple[str, ...] = ()
    branch: str = ""
    """The branch the document asks for; Jules may choose another."""
    files: tuple[JobFile, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    estimate: str = ""
    """As the document writes it, for example `1 week`."""
    notes: tuple[str, ...] = ()
    """Review notes shared by all jobs of the document."""
    backlog: str = ""
    """Absolute path of the document it came from; empty when there is none."""
    position: int = 0
    """Place in the document, from 0: the order among equals."""
    repository: str = ""
    base_branch: str = ""
    task_id: str = ""
    """Task of the latest attempt."""
    merge_commit: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, under the names that scripts rely on."""
        return {
            "key": self.key,
            "title": self.title,
            "priority": self.priority.value,
            "status": self.status.value,
            "reason": self.reason,
            "depends_on": list(self.depends_on),
            "branch": self.branch,
            "files": [file.to_dict() for file in self.files],
            "checklist": [item.to_dict() for item in self.checklist],
            "estimate": self.estimate,
            "prompt": self.prompt,
            "task_id": self.task_id,
            "notes": list(self.notes),
            "backlog": self.backlog,
            "position": self.position,
            "repository": self.repository,
            "base_branch": self.base_branch,
            "merge_commit": self.merge_commit,
            "started_at": optional_to_rfc3339(self.started_at),
            "finished_at": optional_to_rfc3339(self.finished_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `key` is missing.
            ValueError: a priority, status or time is not one.
        """
        texts = ("title", "prompt", "reason", "branch", "estimate", "backlog", "repository",
                 "base_branch", "task_id", "merge_commit")  # fmt: skip
        return cls(
            key=str(data["key"]),
            priority=Priority(data.get("priority") or "medium"),
            status=JobStatus(data.get("status") or "draft"),
            depends_on=tuple(str(key) for key in data.get("depends_on") or ()),
            files=tuple(JobFile.from_dict(file) for file in data.get("files") or ()),
            checklist=tuple(ChecklistItem.from_dict(i) for i in data.get("checklist") or ()),
            notes=tuple(str(note) for note in data.get("notes") or ()),
            position=int(data.get("position") or 0),
            started_at=optional_from_rfc3339(data.get("started_at")),
            finished_at=optional_from_rfc3339(data.get("finished_at")),
            **{name: str(data.get(name) or "") for name in texts},
        )


class AttemptState(StrEnum):
    """Where an attempt stands."""

    INTENDED = "intended"
    """Written before the task is created; settled by looking for the mark."""
    LIVE = "live"
    """Its task exists and is worked on, reviewed or repaired."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    ABANDONED = "abandoned"

    @property
    def is_live(self) -> bool:
        """Whether it keeps its job from getting another attempt."""
        return self in {AttemptState.INTENDED, AttemptState.LIVE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One task created (or about to be created) for a job.

    `mark` is unique and stands in the task's title, so that a task whose creation was not
    answered can be found again. `number` counts from 1 within the job.
    """

    mark: str
    job_key: str
    number: int
    state: AttemptState = AttemptState.INTENDED
    task_id: str = ""
    feedback_rounds: int = 0
    """How many times review feedback was sent to the task."""
    delivered_commit: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the attempt as JSON values."""
        return {
            "mark": self.mark,
            "job_key": self.job_key,
            "number": self.number,
            "state": self.state.value,
            "task_id": self.task_id,
            "feedback_rounds": self.feedback_rounds,
            "delivered_commit": self.delivered_commit,
            "created_at": optional_to_rfc3339(self.created_at),
            "updated_at": optional_to_rfc3339(self.updated_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `mark`, `job_key` or `number` is missing.
            ValueError: a state or time is not one.
        """
        return cls(
            mark=str(data["mark"]),
            job_key=str(data["job_key"]),
            number=int(data["number"]),
            state=AttemptState(data.get("state") or "intended"),
            task_id=str(data.get("task_id") or ""),
            feedback_rounds=int(data.get("feedback_rounds") or 0),
            delivered_commit=str(data.get("delivered_commit") or ""),
            created_at=optional_from_rfc3339(data.get("created_at")),
            updated_at=optional_from_rfc3339(data.get("updated_at")),
        )

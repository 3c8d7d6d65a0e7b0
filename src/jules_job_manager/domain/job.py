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
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}


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
    evidence: str = ""
    """What proved the line when it was ticked by the queue: a check and what it saw."""

    def to_dict(self) -> dict[str, Any]:
        """Return the line as JSON values."""
        return {"text": self.text, "checked": self.checked, "evidence": self.evidence}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `text` is missing.
        """
        return cls(
            text=str(data["text"]),
            checked=bool(data.get("checked", False)),
            evidence=str(data.get("evidence") or ""),
        )


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
    checks: tuple[str, ...] = ()
    """Commands that its delivery must pass too."""
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
    queued_at: datetime | None = None
    """When it came into the queue: its age among equals."""
    held: str = ""
    """Why a person holds it back; empty: nobody does."""
    skipped: bool = False
    """A person took it out, and what depends on it does not wait for it."""
    pinned: bool = False
    """It starts before all that are not."""
    placed_rank: int | None = None
    """The rank a person gave it by moving it; None: that of its priority."""
    place: float | None = None
    """Its place among jobs of one rank, given by a person; None: by age."""
    shares_files: bool = False
    """It may run together with jobs that touch the same files."""
    not_before: datetime | None = None
    """It does not start earlier."""
    schedule: str = ""
    """A cron expression (UTC) for a job that comes again; empty: it runs once."""
    occurrence: int = 1
    """Which run of a recurring job this is, from 1."""
    best_of: int = 1
    """How many attempts are made side by side, of which the best is kept; 1 to 10."""

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
            "checks": list(self.checks),
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
            "queued_at": optional_to_rfc3339(self.queued_at),
            "held": self.held,
            "skipped": self.skipped,
            "pinned": self.pinned,
            "placed_rank": self.placed_rank,
            "place": self.place,
            "shares_files": self.shares_files,
            "not_before": optional_to_rfc3339(self.not_before),
            "schedule": self.schedule,
            "occurrence": self.occurrence,
            "best_of": self.best_of,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: `key` is missing.
            ValueError: a priority, status or time is not one.
        """
        texts = ("title", "prompt", "reason", "branch", "estimate", "backlog", "repository",
                 "base_branch", "task_id", "merge_commit", "held", "schedule")  # fmt: skip
        times = ("started_at", "finished_at", "queued_at", "not_before")
        values: dict[str, Any] = {name: str(data.get(name) or "") for name in texts}
        values |= {name: optional_from_rfc3339(data.get(name)) for name in times}
        return cls(
            key=str(data["key"]),
            priority=Priority(data.get("priority") or "medium"),
            status=JobStatus(data.get("status") or "draft"),
            depends_on=tuple(str(key) for key in data.get("depends_on") or ()),
            files=tuple(JobFile.from_dict(file) for file in data.get("files") or ()),
            checklist=tuple(ChecklistItem.from_dict(i) for i in data.get("checklist") or ()),
            checks=tuple(str(command) for command in data.get("checks") or ()),
            notes=tuple(str(note) for note in data.get("notes") or ()),
            position=int(data.get("position") or 0),
            skipped=bool(data.get("skipped", False)),
            pinned=bool(data.get("pinned", False)),
            placed_rank=data.get("placed_rank"),
            place=data.get("place"),
            shares_files=bool(data.get("shares_files", False)),
            occurrence=int(data.get("occurrence") or 1),
            best_of=int(data.get("best_of") or 1),
            **values,
        )


class AttemptState(StrEnum):
    """Where an attempt stands."""

    INTENDED = "intended"
    """Written before the task is created; settled by looking for the mark."""
    LIVE = "live"
    """Its task exists and is worked on, reviewed or repaired."""
    ACCEPTED = "accepted"
    """Its delivery was merged."""
    REJECTED = "rejected"
    """Given up, while others made side by side go on."""
    FAILED = "failed"
    REPLACED = "replaced"
    """Its task stalled; the next attempt gets its work so far."""
    ABANDONED = "abandoned"
    """Not wanted any more: the job was cancelled, or another attempt was kept."""

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
    account: str = "default"
    """Name of the account its task is (to be) created with."""
    lane: int = 0
    """Which of the attempts made side by side, from 0."""
    occurrence: int = 1
    """Which run of a recurring job it belongs to."""
    tries: int = 1
    """Which attempt of its lane and occurrence it is, from 1."""
    start_branch: str = ""
    """The branch its task starts from; empty: the job's base branch."""
    carries: str = ""
    """Mark of the stalled attempt whose work it was given; empty: none."""
    answers: int = 0
    """How many configured answers its task was sent."""
    nudges: int = 0
    """How many times its silent task was asked to go on."""
    nudged_at: datetime | None = None

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
            "account": self.account,
            "lane": self.lane,
            "occurrence": self.occurrence,
            "tries": self.tries,
            "start_branch": self.start_branch,
            "carries": self.carries,
            "answers": self.answers,
            "nudges": self.nudges,
            "nudged_at": optional_to_rfc3339(self.nudged_at),
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
            account=str(data.get("account") or "default"),
            lane=int(data.get("lane") or 0),
            occurrence=int(data.get("occurrence") or 1),
            tries=int(data.get("tries") or data["number"]),
            start_branch=str(data.get("start_branch") or ""),
            carries=str(data.get("carries") or ""),
            answers=int(data.get("answers") or 0),
            nudges=int(data.get("nudges") or 0),
            nudged_at=optional_from_rfc3339(data.get("nudged_at")),
        )

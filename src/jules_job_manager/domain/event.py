"""Events: append-only facts. History, live views, notifications and audit all read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from jules_job_manager.domain.clockwork import to_rfc3339


class EventType(StrEnum):
    """What happened. The names of ticket JJM-032, and those that jobs need."""

    TASK_CREATED = "task_created"
    TASK_UPDATED = "task_updated"
    TASK_STATE_CHANGED = "task_state_changed"
    TASK_DELETED = "task_deleted"
    TASK_ARCHIVED = "task_archived"
    MESSAGE_SENT = "message_sent"
    PLAN_GENERATED = "plan_generated"
    PLAN_APPROVED = "plan_approved"
    TASK_RESUMED = "task_resumed"
    ACTIVITY_SEEN = "activity_seen"
    BACKLOG_IMPORTED = "backlog_imported"
    BACKLOG_WRITTEN = "backlog_written"
    JOB_STATE_CHANGED = "job_state_changed"
    ATTEMPT_STARTED = "attempt_started"
    DELIVERY_FOUND = "delivery_found"
    REVIEW_FINISHED = "review_finished"
    REVIEW_REPEATED = "review_repeated"
    FEEDBACK_SENT = "feedback_sent"
    TASK_NUDGED = "task_nudged"
    JOB_CHANGED = "job_changed"
    JOB_RECURS = "job_recurs"
    MERGE_APPROVED = "merge_approved"
    CHECKLIST_SIGNED = "checklist_signed"
    QUEUE_PAUSED = "queue_paused"
    QUEUE_DRAINED = "queue_drained"
    QUOTA_LOW = "quota_low"
    MERGED = "merged"
    REVERTED = "reverted"
    ALERT_RAISED = "alert_raised"
    ALERT_CLEARED = "alert_cleared"
    WEBHOOK_CREATED = "webhook_created"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_DELETED = "webhook_deleted"
    WEBHOOK_DISABLED = "webhook_disabled"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """A fact to be written. `type` is an `EventType` value, or another word kept as it is.

    `subject` is what it is about: `task:ID`, `job:KEY`, `backlog:PATH`.
    """

    type: str
    subject: str
    at: datetime
    actor: str = "jjm"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A written fact. `id` grows with every event of a store and is the cursor for reading on."""

    id: int
    type: str
    subject: str
    at: datetime
    actor: str = "jjm"
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON values."""
        return {
            "id": self.id,
            "type": self.type,
            "subject": self.subject,
            "at": to_rfc3339(self.at),
            "actor": self.actor,
            "data": dict(self.data),
        }

"""The queue as a whole: quota, events, backlogs, settings, what waits for a person."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from jules_job_manager.services.decisions import DecisionKind
from jules_job_manager.services.uploaded_backlogs import MOST_CHARACTERS
from jules_job_manager.web.schemas.base import Answer, Body, Line, Moment, example_of
from jules_job_manager.web.schemas.jobs import JobOut


class QueueOut(Answer):
    """How the queue stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total": 2,
                "counts": {"ready": 1, "done": 1},
                "needs_you": [],
                "next": ["SHOP-12"],
                "paused": "",
                "paused_by": "",
                "leader": "build-1:4711:9c1b2a",
                "leader_until": "2026-11-24T12:01:00.000000Z",
            }
        }
    )

    total: int
    counts: dict[str, int] = Field(description="Jobs by status.")
    needs_you: list[str]
    next: list[str] = Field(description="Keys of the jobs that may start, in their order.")
    paused: str = Field(description="Why it is paused; empty: it is not.")
    paused_by: str = Field(description="Who paused it; empty: nobody did, or it is not known.")
    leader: str = Field(description="The program that runs it; empty: none does.")
    leader_until: Moment | None = Field(
        description="Until when its lease lasts, which it renews; none: nobody has it."
    )


class WouldOut(Answer):
    """What would become of a job."""

    job: str
    text: str = Field(description="That it would start, or what it waits for.")


class OutlookOut(Answer):
    """What the queue would do next."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "at": "2026-11-24T12:00:00.000000Z",
                "may_move": True,
                "leader": "build-1:4711:9c1b2a",
                "settles_seconds": 63.0,
                "would": [{"job": "SHOP-12", "text": "would start"}],
            }
        }
    )

    at: Moment
    may_move: bool = Field(description="Whether anything can happen without a person.")
    leader: str = Field(description="The program that runs it; empty: none does.")
    settles_seconds: float = Field(
        description="What a person did is seen by the worker within this time."
    )
    would: list[WouldOut]


class PauseIn(Body):
    """Why the queue is paused."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "the release is being made"}}
    )

    reason: Line | None = Field(default=None, description="Left out: it names who did it.")


class ResumedOut(Answer):
    """Whether there was a pause."""

    model_config = ConfigDict(json_schema_extra={"example": {"was_paused": True}})

    was_paused: bool


class QuotaOut(Answer):
    """What one account has used, and what is left."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": "default",
                "plan": "pro",
                "provenance": "stated",
                "used": 12,
                "per_day": 100,
                "at_work": 3,
                "at_once": 15,
                "next_slot": None,
                "refused_until": None,
                "slots": ["2026-11-24T12:00:00.000000Z"],
            }
        }
    )

    account: str
    plan: str
    provenance: str
    used: int
    per_day: int | None
    at_work: int
    at_once: int | None
    next_slot: Moment | None
    refused_until: Moment | None
    slots: list[Moment] = Field(description="When each task stops to count.")


class EventOut(Answer):
    """A fact that was written down and never changes."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 17,
                "type": "job_state_changed",
                "subject": "job:SHOP-12",
                "at": "2026-11-24T12:00:00.000000Z",
                "actor": "ci",
                "data": {"before": "ready", "after": "starting", "rule": "dispatch"},
            }
        }
    )

    id: int = Field(description="Grows with every event: the cursor for reading on.")
    type: str
    subject: str = Field(description="task:ID, job:KEY, backlog:PATH or queue.")
    at: Moment
    actor: str
    data: dict[str, Any]


class EventPage(Answer):
    """Events, in the order that was asked for."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [example_of(EventOut)], "last_id": 42}}
    )

    items: list[EventOut]
    last_id: int = Field(description="Id of the newest event of all.")


class BacklogOut(Answer):
    """A document whose jobs are in the queue."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "upload:backlog.md", "jobs": 2, "counts": {"ready": 2}}
        }
    )

    name: str = Field(description="Empty: that of the jobs that are in no document.")
    jobs: int
    counts: dict[str, int] = Field(description="Jobs by status.")


class BacklogIn(Body):
    """A document to be read into the queue."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "backlog.md",
                "content": "### SHOP-12: Add a discount\n**Prompt**: Add a discount of 10 %.\n",
                "repository": "octo/shop",
            }
        }
    )

    name: Line = Field(
        min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$",
        description="How the document is called; the service keeps it as upload:NAME.",
    )  # fmt: skip
    content: Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS)] = Field(
        description="Its Markdown."
    )
    repository: Line = ""
    base_branch: Line = ""
    dry_run: bool = False
    removes: bool = Field(
        default=True, description="Jobs that never began and left the document leave the queue."
    )


class ProblemOut(Answer):
    """Something in the document that was not understood."""

    line: int
    message: str


class ImportOut(Answer):
    """What an import did, or would do."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": "Shop",
                "backlog": "upload:backlog.md",
                "added": ["SHOP-12"],
                "updated": [],
                "changed": [],
                "removed": [],
                "kept": [],
                "problems": [{"line": 9, "message": "the priority 'soon' is not known"}],
                "differences": [],
                "jobs": [{**example_of(JobOut), "backlog": "upload:backlog.md"}],
            }
        }
    )

    title: str
    backlog: str
    added: list[str]
    updated: list[str]
    changed: list[str]
    removed: list[str]
    kept: list[str]
    problems: list[ProblemOut]
    differences: list[ProblemOut]
    jobs: list[JobOut]


class SettingOut(Answer):
    """One setting. Secrets are masked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "queue.approve",
                "value": "never",
                "source": "default",
                "help": "Which plans are approved without a person.",
            }
        }
    )

    name: str
    value: str
    source: str
    help: str


class WaitingOut(Answer):
    """Something that waits for a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "plan",
                "repository": "octo/shop",
                "job_key": "SHOP-12",
                "task_id": "31415926535897932384",
                "title": "Add a discount",
                "reason": "its plan waits for you",
                "since": "2026-11-24T12:00:00.000000Z",
                "plan": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "commit": "",
            }
        }
    )

    kind: DecisionKind
    repository: str = Field(description="Empty: it is not known yet.")
    job_key: str
    task_id: str
    title: str
    reason: str
    since: Moment | None
    plan: str = Field(description="Fingerprint of the plan that waits; empty: it is no plan.")
    commit: str = Field(description="The delivery that waits to be merged; empty: it is none.")


class ServiceOut(Answer):
    """What this service is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "version": "0.1.0",
                "store": "postgresql",
                "backend": "rest",
                "worker": True,
                "worker_problem": "",
            }
        }
    )

    version: str
    store: str
    backend: str
    worker: bool = Field(description="Whether the service itself runs the queue.")
    worker_problem: str = Field(description="Why its worker does not work; empty: it does.")

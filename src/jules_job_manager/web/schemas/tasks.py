"""Tasks: sessions of Jules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from jules_job_manager.domain.activity import ActivityKind
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.web.schemas.base import (
    Answer,
    Body,
    Line,
    Moment,
    Text,
    example_of,
    one_by_one,
)


class ChatMessageOut(Answer):
    """One message of the conversation."""

    timestamp: Moment | None
    content: str
    type: str = Field(description="user, jules or system.")


class SourceFileOut(Answer):
    """A file that the task touched."""

    filename: str
    url: str
    status: str = Field(description="modified, created, deleted, unchanged or unknown.")


class PlanStepOut(Answer):
    """One step of a plan."""

    id: str
    title: str
    description: str


class PlanOut(Answer):
    """What Jules proposes to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "p1",
                "steps": [
                    {"id": "s1", "title": "Add the test", "description": "In tests/test_parser.py."}
                ],
                "created_at": "2026-11-01T09:04:00.000000Z",
            }
        }
    )

    id: str
    steps: list[PlanStepOut]
    created_at: Moment | None


class TaskPlanOut(PlanOut):
    """A plan with what an approval names."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **example_of(PlanOut),
                "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }
        }
    )

    fingerprint: str = Field(description="SHA-256 of its texts: send it when you approve the plan.")


class TaskOut(Answer):
    """A task. In lists `chat_history` and `source_files` are empty."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "31415926535897932384",
                "title": "Add a test",
                "description": "Add a test for the parser.",
                "repository": "octo/shop",
                "branch": "main",
                "status": "in_progress",
                "created_at": "2026-11-01T09:00:00.000000Z",
                "updated_at": "2026-11-01T09:05:00.000000Z",
                "url": "https://jules.google.com/session/31415926535897932384",
                "chat_history": [],
                "source_files": [],
                "plan": None,
                "outputs": [],
                "raw_state": "IN_PROGRESS",
                "working_branch": "",
                "require_plan_approval": True,
                "archived": False,
                "backend": "rest",
                "seen_at": "2026-11-01T09:06:00.000000Z",
                "metadata": {},
            }
        }
    )

    id: str
    title: str
    description: str
    repository: str
    branch: str
    status: TaskStatus
    created_at: Moment | None
    updated_at: Moment | None
    url: str
    chat_history: list[ChatMessageOut]
    source_files: list[SourceFileOut]
    plan: PlanOut | None
    outputs: list[dict[str, Any]] = Field(description="Change sets and pull requests, by `kind`.")
    raw_state: str = Field(description="The backend's own word for the status.")
    working_branch: str
    require_plan_approval: bool | None
    archived: bool
    backend: str
    seen_at: Moment | None = Field(description="When Jules last told of it.")
    metadata: dict[str, Any]


class TaskPage(Answer):
    """Tasks, the newest change first unless asked otherwise."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [example_of(TaskOut)],
                "next_cursor": None,
                "stale_since": None,
                "failure": None,
            }
        }
    )

    items: list[TaskOut]
    next_cursor: str | None = None
    stale_since: Moment | None = Field(
        default=None, description="Set when Jules was to be asked and could not be."
    )
    failure: str | None = Field(default=None, description="Why it could not be asked.")


class NewTaskIn(Body):
    """A task to be created."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "description": "Add a test for the parser.",
                "repository": "octo/shop",
                "branch": "main",
                "require_plan_approval": True,
            }
        },
    )

    description: Annotated[Text, Field(min_length=1)]
    repository: Line = Field(default="", description="owner/name; empty: without a repository.")
    branch: Line = "main"
    title: Line | None = None
    require_plan_approval: bool = False
    auto_create_pr: bool = False


class NewTasksIn(Body):
    """Several tasks to be created, one after the other."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "tasks": [{"description": "Add a test for the parser.", "repository": "octo/shop"}]
            }
        }
    )

    tasks: list[Annotated[NewTaskIn, one_by_one]] = Field(min_length=1, max_length=100)


class TaskChangeIn(Body):
    """What may be changed of a task."""

    model_config = ConfigDict(json_schema_extra={"example": {"archived": True}})

    archived: bool


class MessageIn(Body):
    """A message to a task."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"text": "Use the parser that is there."}}
    )

    text: Annotated[Text, Field(min_length=1)]


class DeclineIn(Body):
    """A plan that a person does not want."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"plan": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
        },
    )

    plan: Annotated[Line, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Fingerprint of the plan that was seen; refused when it is another by now."
    )


class ApprovalIn(Body):
    """An approval of a plan."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"plan": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
        }
    )

    plan: Annotated[Line, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="Fingerprint of the plan that was seen; the approval is refused when it is "
        "another by now. None: approve whatever waits.",
    )


class TaskActOut(Answer):
    """What came of an act on a task."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "task_id": "31415926535897932384",
                "status": "in_progress",
                "at": "2026-11-24T12:00:00.000000Z",
                "task": None,
            }
        }
    )

    task_id: str
    status: TaskStatus = Field(description="As it was last seen.")
    at: Moment
    task: TaskOut | None = None


class TaskIdOut(Answer):
    """The full id of a task that was meant by its first characters or address."""

    model_config = ConfigDict(json_schema_extra={"example": {"task_id": "31415926535897932384"}})

    task_id: str


class TaskStatusOut(Answer):
    """Where a task stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "task_id": "31415926535897932384",
                "status": "in_progress",
                "raw_state": "IN_PROGRESS",
                "updated_at": "2026-11-24T12:00:00.000000Z",
                "seen_at": "2026-11-24T12:00:00.000000Z",
                "finished": False,
                "progress": "Writing the test.",
            }
        }
    )

    task_id: str
    status: TaskStatus
    raw_state: str
    updated_at: Moment | None
    seen_at: Moment | None
    finished: bool
    progress: str = Field(description="The latest thing it said or did, in words.")


class ActivityOut(Answer):
    """One thing that happened in a task."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "a1",
                "task_id": "31415926535897932384",
                "kind": "agent_messaged",
                "created_at": "2026-11-01T09:05:00.000000Z",
                "created_at_raw": "2026-11-01T09:05:00.000000123Z",
                "originator": "agent",
                "description": "",
                "message": "I added the test.",
                "plan": None,
                "plan_id": "",
                "artifacts": [],
                "raw": None,
            }
        }
    )

    id: str
    task_id: str
    kind: ActivityKind
    created_at: Moment | None
    created_at_raw: str
    originator: str
    description: str
    message: str
    plan: PlanOut | None
    plan_id: str
    artifacts: list[dict[str, Any]]
    raw: dict[str, Any] | None


class ChangeSetOut(Answer):
    """A patch in git's unified format."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "change_set",
                "source": "sources/github/octo/shop",
                "unidiff_patch": "--- a/VERSION\n+++ b/VERSION\n@@ -1 +1 @@\n-1.0\n+1.1\n",
                "base_commit_id": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
                "suggested_commit_message": "Raise the version",
                "files": [{"filename": "VERSION", "url": "", "status": "modified"}],
            }
        }
    )

    kind: str
    source: str
    unidiff_patch: str
    base_commit_id: str
    suggested_commit_message: str
    files: list[SourceFileOut]


class SourceOut(Answer):
    """A repository that Jules may work on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "sources/github/octo/shop",
                "repository": "octo/shop",
                "default_branch": "main",
                "branches": ["main"],
                "is_private": False,
            }
        }
    )

    name: str
    repository: str
    default_branch: str
    branches: list[str]
    is_private: bool | None = None

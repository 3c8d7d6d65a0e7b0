"""Jobs, attempts, deliveries and reviews."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from jules_job_manager.domain.job import AttemptState, JobStatus, Priority
from jules_job_manager.domain.review import Conclusion, Verdict
from jules_job_manager.web.schemas.base import (
    Answer,
    Body,
    Instant,
    Key,
    Line,
    Moment,
    Text,
    example_of,
    one_by_one,
)

_Said = Annotated[Line, Field(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""A line that says something."""
_EXAMPLE: JsonDict = {
    "key": "SHOP-12", "title": "Add a discount", "priority": "high", "status": "ready", "reason": "",
    "depends_on": ["SHOP-11"], "branch": "", "files": [], "checklist": [], "checks": [],
    "estimate": "", "prompt": "Add a discount of 10 % to orders over 100 €.", "task_id": "",
    "notes": [], "backlog": "", "position": 0, "repository": "octo/shop", "base_branch": "main",
    "merge_commit": "", "started_at": None, "finished_at": None,
    "queued_at": "2026-11-01T09:00:00.000000Z", "held": "", "skipped": False, "pinned": False,
    "placed_rank": None, "place": None, "shares_files": False, "not_before": None, "schedule": "",
    "occurrence": 1, "best_of": 1,
}  # fmt: skip


class JobFileOut(Answer):
    """A file that the job says it will touch."""

    path: str
    action: str = Field(description="create, modify, delete or unknown.")
    note: str


class ChecklistItemOut(Answer):
    """One line of the job's checklist."""

    text: str
    checked: bool
    evidence: str


class JobOut(Answer):
    """One entry of a backlog."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    key: str
    title: str
    priority: Priority
    status: JobStatus
    reason: str = Field(description="Why it stands so, in words.")
    depends_on: list[str]
    branch: str
    files: list[JobFileOut]
    checklist: list[ChecklistItemOut]
    checks: list[str]
    estimate: str
    prompt: str
    task_id: str
    notes: list[str]
    backlog: str = Field(description="The document it came from; empty: none.")
    position: int
    repository: str
    base_branch: str
    merge_commit: str
    started_at: Moment | None
    finished_at: Moment | None
    queued_at: Moment | None
    held: str = Field(description="Why a person holds it back; empty: nobody does.")
    skipped: bool
    pinned: bool
    placed_rank: int | None
    place: float | None
    shares_files: bool
    not_before: Moment | None
    schedule: str
    occurrence: int
    best_of: int


class NewJobIn(Body):
    """A job to be put into the queue that is in no document."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "key": "SHOP-12",
                "title": "Add a discount",
                "prompt": "Add a discount of 10 % to orders over 100 €.",
                "priority": "high",
                "repository": "octo/shop",
            }
        },
    )

    key: Annotated[Key, Field(pattern=r"^[^\s/\\%\x00-\x1f](?:[^/\\%\x00-\x1f]*[^\s/\\%\x00-\x1f])?$")] = Field(
        description="Names it in the whole queue; no slash, no percent sign, nothing invisible, not `.` or `..`."
    )  # fmt: skip
    title: Line = ""
    prompt: Text = Field(default="", description="What Jules shall do; empty: a draft.")
    priority: Priority = Priority.MEDIUM
    depends_on: list[Key] = Field(default_factory=list, max_length=200)
    repository: Line = ""
    base_branch: Line = ""
    branch: Line = ""
    checklist: list[_Said] = Field(default_factory=list, max_length=200)
    checks: list[_Said] = Field(default_factory=list, max_length=50)
    estimate: Line = ""


class NewJobsIn(Body):
    """Several jobs; each is put in by itself, in the order given."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "jobs": [
                    {
                        "key": "SHOP-12",
                        "title": "Add a discount",
                        "prompt": "Add a discount of 10 %.",
                        "repository": "octo/shop",
                    }
                ]
            }
        }
    )

    jobs: list[Annotated[NewJobIn, one_by_one]] = Field(min_length=1, max_length=500)


class JobChangeIn(Body):
    """What may be changed of a job; what is left out stays as it is.

    Texts can be changed of jobs that are in no document; those of a document are edited there.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"not_before": "2026-11-25T06:00:00Z", "pinned": True}}
    )

    title: Line | None = None
    prompt: Text | None = None
    priority: Priority | None = None
    depends_on: list[Key] | None = Field(default=None, max_length=200)
    repository: Line | None = None
    base_branch: Line | None = None
    branch: Line | None = None
    not_before: Instant | None = None
    schedule: Line | None = Field(
        default=None, description="A cron expression (UTC); an empty text: it runs once."
    )
    best_of: int | None = Field(default=None, description="Attempts side by side, 1 to 10.")
    shares_files: bool | None = None
    pinned: bool | None = None


class ReasonIn(Body):
    """Why, in words."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "waits for the new prices"}})

    reason: Line | None = Field(default=None, description="Left out: it names who did it.")


class MoveIn(Body):
    """Another place among the jobs that wait."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "before", "other": "SHOP-11"}})

    to: Literal["top", "bottom", "before", "after"]
    other: Key | None = Field(default=None, description="For `before` and `after`: which job.")


class OrderOut(Answer):
    """The keys of the jobs that wait, in their order."""

    model_config = ConfigDict(json_schema_extra={"example": {"keys": ["SHOP-12", "SHOP-11"]}})

    keys: list[str]


class CancelIn(Body):
    """What becomes of the task of a job that is cancelled."""

    model_config = ConfigDict(json_schema_extra={"example": {"task": "archive"}})

    task: Literal["archive", "delete", "keep"] = "archive"


class AdoptIn(Body):
    """A task that already works on the job."""

    model_config = ConfigDict(json_schema_extra={"example": {"task": "31415926535897932384"}})

    task: Line = Field(min_length=1, description="Its id, first characters, or address.")


class SignIn(Body):
    """A person's word for a line of the checklist."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"line": 2, "evidence": "I ordered for 120 € and saw the discount."}
        }
    )

    line: int = Field(ge=1, le=10_000, description="Its number, from 1.")
    evidence: Annotated[Line, Field(min_length=1)] = Field(description="What was seen.")


class AttemptOut(Answer):
    """One task created, or about to be, for a job."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "mark": "jjm-7f3a",
                "job_key": "SHOP-12",
                "number": 1,
                "state": "live",
                "task_id": "31415926535897932384",
                "feedback_rounds": 0,
                "delivered_commit": "",
                "created_at": "2026-11-24T12:00:00.000000Z",
                "updated_at": "2026-11-24T12:00:00.000000Z",
                "account": "default",
                "lane": 0,
                "occurrence": 1,
                "tries": 1,
                "start_branch": "main",
                "carries": "",
                "answers": 0,
                "nudges": 0,
                "nudged_at": None,
            }
        }
    )

    mark: str
    job_key: str
    number: int
    state: AttemptState
    task_id: str
    feedback_rounds: int
    delivered_commit: str
    created_at: Moment | None
    updated_at: Moment | None
    account: str
    lane: int
    occurrence: int
    tries: int
    start_branch: str
    carries: str
    answers: int
    nudges: int
    nudged_at: Moment | None


class CancelOut(Answer):
    """What came of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job": {**_EXAMPLE, "status": "cancelled", "reason": "cancelled by you"},
                "attempts": [{**example_of(AttemptOut), "state": "abandoned"}],
                "notes": ["Task 31415926535897932384 is archived."],
            }
        }
    )

    job: JobOut
    attempts: list[AttemptOut]
    notes: list[str] = Field(description="What became of each task, in words.")


class DeliveryOut(Answer):
    """What an attempt handed over, pinned to a commit."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_key": "SHOP-12",
                "mark": "jjm-7f3a",
                "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
                "task_id": "31415926535897932384",
                "at": "2026-11-24T12:20:00.000000Z",
                "verdict": "accept",
                "reviewed_at": "2026-11-24T12:22:00.000000Z",
                "merged": False,
            }
        }
    )

    job_key: str
    mark: str
    commit: str
    task_id: str
    at: Moment | None
    verdict: Verdict | None = Field(description="Of the latest review of it; none: not yet.")
    reviewed_at: Moment | None
    merged: bool


class CheckResultOut(Answer):
    """One check on one delivery."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "tests",
                "conclusion": "success",
                "output": "212 passed in 9.31s",
                "exit_code": 0,
                "duration_seconds": 10.2,
                "required": True,
                "command": "make test",
                "log_sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
                "findings": [],
                "flaky": False,
                "proves": ["All tests pass"],
                "opinions": [],
            }
        }
    )

    name: str
    conclusion: Conclusion
    output: str
    exit_code: int | None
    duration_seconds: float
    required: bool
    command: str
    log_sha256: str
    findings: list[dict[str, Any]]
    flaky: bool
    proves: list[str]
    opinions: list[dict[str, Any]]


class ReviewOut(Answer):
    """All checks of one delivery on one base commit, and the verdict."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_key": "SHOP-12",
                "mark": "jjm-7f3a",
                "delivered_commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
                "base_commit": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
                "verdict": "accept",
                "checks": [example_of(CheckResultOut)],
                "merge_commit": "e83c5163316f89bfbde7d9ab23ca2e25604af290",
                "at": "2026-11-24T12:22:00.000000Z",
                "check_set": "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
                "changed_files": 2,
                "changed_lines": 31,
                "changed_paths": ["shop/discount.py", "tests/test_discount.py"],
            }
        }
    )

    job_key: str
    mark: str
    delivered_commit: str
    base_commit: str
    verdict: Verdict
    checks: list[CheckResultOut]
    merge_commit: str
    at: Moment | None
    check_set: str
    changed_files: int
    changed_lines: int
    changed_paths: list[str]


class WhyOut(Answer):
    """Why a job is not running, and when it will."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job": _EXAMPLE,
                "key": "SHOP-12",
                "status": "ready",
                "waits_for": "quota",
                "reason": "all 100 tasks of the last 24 hours are used",
                "until": "2026-11-24T15:00:00.000000Z",
                "ahead": 1,
            }
        }
    )

    job: JobOut
    key: str
    status: JobStatus
    waits_for: str | None = Field(description="The kind of wait; none: it may start now.")
    reason: str
    until: Moment | None
    ahead: int | None


class StoryOut(Answer):
    """The whole story of a job on one page."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "key": "SHOP-12",
                "markdown": "# `SHOP-12`: `Add a discount`\n\n**ready**\n",
            }
        }
    )

    key: str
    markdown: str

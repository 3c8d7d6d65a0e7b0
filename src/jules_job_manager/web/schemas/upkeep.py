"""What is done to repositories and tasks after the work, and the test of notifications."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from jules_job_manager.web.schemas.base import Answer, Body, example_of
from jules_job_manager.web.schemas.jobs import CheckResultOut, JobOut, ReviewOut


class RevertIn(Body):
    """How a merge is taken back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"dry_run": True}})

    checks: bool = Field(default=True, description="Run the commands on the result first.")
    dry_run: bool = Field(default=False, description="Only find out whether it would work.")


class RevertedOut(Answer):
    """What came of taking a merge back."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job": {
                    **example_of(JobOut),
                    "status": "cancelled",
                    "reason": "taken back by 7fd1a60b01",
                },
                "commit": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
                "conflicts": [],
                "checks": [example_of(CheckResultOut)],
                "built_on": ["SHOP-13"],
                "outcome": "merged",
                "merged_as": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
                "note": "",
                "waits_for": "",
                "refused_by": [],
            }
        }
    )

    job: JobOut
    commit: str = Field(description="The commit that takes the work back; empty: it conflicts.")
    conflicts: list[str] = Field(description="Files that later work changed too.")
    checks: list[CheckResultOut]
    built_on: list[str] = Field(description="Jobs that are done and depend on it: they stay.")
    outcome: Literal["none", "merged", "not_yet", "refused"] = Field(
        description="What the code host says of it; none: nothing was pushed."
    )
    merged_as: str
    note: str
    waits_for: str
    refused_by: list[CheckResultOut]


class CleanIn(Body):
    """Which tasks are put away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"dry_run": True}})

    delete: bool = Field(default=False, description="Delete for good what is merged.")
    all_tasks: bool = Field(
        default=False, description="Also judge finished tasks that are of no job."
    )
    dry_run: bool = Field(default=False, description="Say what would be done, change nothing.")


class CleanStepOut(Answer):
    """What is, or would be, done with one task, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "task_id": "31415926535897932384",
                "account": "default",
                "job": "SHOP-12",
                "title": "Add a discount",
                "action": "archive",
                "reason": "its work is in main",
                "done": True,
                "failed": False,
            }
        }
    )

    task_id: str
    account: str
    job: str
    title: str
    action: Literal["archive", "delete", "keep"]
    reason: str
    done: bool
    failed: bool


class CheckHistoryOut(Answer):
    """How one check ended, over all reviews that ran it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "check": "tests",
                "runs": 40,
                "failed": 3,
                "flaky": 1,
                "quarantined": 0,
                "changed_its_mind": 0,
                "flaky_share": 0.025,
            }
        }
    )

    check: str
    runs: int
    failed: int
    flaky: int
    quarantined: int
    changed_its_mind: int
    flaky_share: float = Field(description="Of its runs, 0 to 1.")


class NotifyIn(Body):
    """What test message is sent."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"alert": False}})

    alert: bool = Field(default=False, description="In the form of an alert.")
    dry_run: bool = Field(default=False, description="Only check the addresses.")


class NotifiedOut(Answer):
    """How many addresses there are."""

    model_config = ConfigDict(json_schema_extra={"example": {"addresses": 1}})

    addresses: int


class ReviewBegunOut(Answer):
    """A review that was asked for again, and is at work."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "4711-0123456789abcdef0123456789abcdef",
                "job_key": "SHOP-12",
                "warnings": [],
            }
        }
    )

    id: str = Field(description="Asks how it stands.")
    job_key: str
    warnings: list[str] = Field(description="What to know of the checks: they prove little, say.")


class ReviewErrorOut(Answer):
    """Why a review could not be run."""

    code: str
    detail: str
    hint: str | None


class RepeatedReviewOut(Answer):
    """How a review stands that was asked for again."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"state": "running", "review": None, "error": None}}
    )

    state: Literal["running", "done", "failed", "lost"] = Field(
        description="`failed`: it could not be run; `lost`: the service was stopped over it."
    )
    review: ReviewOut | None = Field(description="Of one that is done.")
    error: ReviewErrorOut | None = Field(description="Of one that failed.")

"""What a live board shows of the queue."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from jules_job_manager.domain.job import JobStatus
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.web.schemas.base import Answer, Moment
from jules_job_manager.web.schemas.queue import OutlookOut, QuotaOut
from jules_job_manager.web.schemas.tasks import PlanOut


class BoardJobOut(Answer):
    """What a board shows of a job."""

    key: str
    title: str
    status: JobStatus
    reason: str
    task_id: str
    merge_commit: str
    started_at: Moment | None
    finished_at: Moment | None


class BoardAttemptOut(Answer):
    """An attempt that is at work."""

    job: str
    mark: str
    task_id: str


class BoardTaskOut(Answer):
    """Where a task stands."""

    id: str
    status: TaskStatus
    updated_at: Moment | None


class BoardQuestionOut(Answer):
    """A plan that a person may decide on."""

    job: str
    task_id: str
    plan: PlanOut
    fingerprint: str = Field(description="Send it when you approve or decline the plan.")
    reason: str
    rule: str = Field(description="What of the policy leaves it to a person.")


class BoardOut(Answer):
    """How the queue stands, what comes next, and which plans a person may decide on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "outlook": {
                    "at": "2026-11-24T12:00:00.000000Z",
                    "may_move": False,
                    "leader": "build-1:4711:9c1b2a",
                    "settles_seconds": 63.0,
                    "would": [],
                },
                "slots": 3,
                "paused": "",
                "jobs": [
                    {
                        "key": "SHOP-12",
                        "title": "Add a discount",
                        "status": "needs_you",
                        "reason": "its plan waits for your approval",
                        "task_id": "31415926535897932384",
                        "merge_commit": "",
                        "started_at": "2026-11-24T11:58:00.000000Z",
                        "finished_at": None,
                    }
                ],
                "attempts": [
                    {"job": "SHOP-12", "mark": "3f9c1e7a20", "task_id": "31415926535897932384"}
                ],
                "tasks": [
                    {
                        "id": "31415926535897932384",
                        "status": "waiting_approval",
                        "updated_at": "2026-11-24T11:59:00.000000Z",
                    }
                ],
                "accounts": [],
                "questions": [
                    {
                        "job": "SHOP-12",
                        "task_id": "31415926535897932384",
                        "plan": {
                            "id": "p1",
                            "steps": [{"id": "s1", "title": "Read it", "description": ""}],
                            "created_at": None,
                        },
                        "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                        "reason": "its plan waits for your approval",
                        "rule": "queue.approve = ask",
                    }
                ],
            }
        }
    )

    outlook: OutlookOut
    slots: int = Field(description="The most tasks at once; 0: as many as the accounts allow.")
    paused: str = Field(description="Why the queue is paused; empty: it is not.")
    jobs: list[BoardJobOut]
    attempts: list[BoardAttemptOut]
    tasks: list[BoardTaskOut]
    accounts: list[QuotaOut]
    questions: list[BoardQuestionOut]

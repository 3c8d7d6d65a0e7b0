"""After the work: taking merges back, putting tasks away, flaky checks, the test of notifications.

What works on repositories may take minutes: the routes say `x-takes-long`, and the client waits.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.caller import QueueWriter, ReviewsReader, ReviewsWriter, TasksWriter
from jules_job_manager.web.etags import IfMatch
from jules_job_manager.web.idempotency import IdempotentRoute
from jules_job_manager.web.problems import documented
from jules_job_manager.web.routes.jobs import Key, job_meant
from jules_job_manager.web.schemas import upkeep as s

router = APIRouter(route_class=IdempotentRoute)
_LONG = {"x-takes-long": True}


@router.post(
    "/jobs/{key}/revert", operation_id="revert_job", response_model=s.RevertedOut, tags=["jobs"],
    responses=documented(404, 409, 412, 415, 422), openapi_extra=_LONG,
)  # fmt: skip
async def revert_job(
    app: ReviewsWriter, key: Key, request: Request, body: s.RevertIn | None = None,
    if_match: IfMatch = None,
) -> dict[str, Any]:  # fmt: skip
    """Take back what was merged for a job, by a commit that undoes it; the job is cancelled then."""
    how = body or s.RevertIn()
    job = await job_meant(app, key, if_match)
    found = await app.administration.revert(
        job, remotes=dict(app.settings.remotes), checks=how.checks, dry_run=how.dry_run
    )
    told = found.to_dict()
    after = {name: told[name] for name in ("commit", "conflicts", "outcome", "merged_as")}
    note_change(
        request, resource=f"job:{job.key}", before={"merge_commit": job.merge_commit},
        after={**after, "dry_run": how.dry_run},
    )  # fmt: skip
    return told


@router.post(
    "/queue/clean", operation_id="clean_queue", response_model=list[s.CleanStepOut],
    tags=["queue"], responses=documented(409, 415, 422), openapi_extra=_LONG,
)  # fmt: skip
async def clean_queue(
    app: TasksWriter, request: Request, body: s.CleanIn | None = None
) -> list[dict[str, Any]]:
    """Put away the tasks whose work is merged, and those that were replaced."""
    how = body or s.CleanIn()
    steps = await app.administration.clean(remotes=dict(app.settings.remotes), **how.model_dump())
    done = [f"{step.fate.value} {step.task_id}" for step in steps if step.done]
    note_change(request, resource="queue", after={"done": done})
    return [step.to_dict() for step in steps]


@router.get(
    "/reviews/flaky", operation_id="list_flaky_checks", response_model=list[s.CheckHistoryOut],
    tags=["attempts"],
)  # fmt: skip
async def list_flaky_checks(app: ReviewsReader) -> list[dict[str, Any]]:
    """Return how often each command of reviews was flaky, the flakiest first."""
    return [one.to_dict() for one in await app.administration.check_histories()]


@router.post(
    "/notifications/test", operation_id="test_notifications", response_model=s.NotifiedOut,
    tags=["queue"], responses=documented(409, 415, 422),
)  # fmt: skip
async def try_notifications(app: QueueWriter, body: s.NotifyIn | None = None) -> dict[str, Any]:
    """Send a test message to every address of notify.urls."""
    how = body or s.NotifyIn()
    count = await app.administration.try_notifications(alert=how.alert, dry_run=how.dry_run)
    return {"addresses": count}

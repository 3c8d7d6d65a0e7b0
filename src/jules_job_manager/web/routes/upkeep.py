"""After the work: taking merges back, putting tasks away, flaky checks, the test of notifications.

What works on repositories may take minutes: the routes say `x-takes-long`, and the client waits.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from jules_job_manager.bootstrap.queue import reviewer_of
from jules_job_manager.bootstrap.sandbox import check_warnings
from jules_job_manager.domain import change_notes as notes
from jules_job_manager.services.cleaning import done_steps
from jules_job_manager.services.repeated_reviews import review_once_more, what_was_reviewed
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.caller import (
    QueueWriter,
    ReviewsReader,
    ReviewsWriter,
    TasksWriter,
    service_of,
)
from jules_job_manager.web.etags import IfMatch
from jules_job_manager.web.idempotency import IdempotentRoute
from jules_job_manager.web.problems import documented
from jules_job_manager.web.routes.jobs import Key, job_meant
from jules_job_manager.web.schemas import upkeep as s

router = APIRouter(route_class=IdempotentRoute)
_LONG = {"x-takes-long": True}
ReviewId = Annotated[
    str, Path(max_length=60, pattern=r"^[0-9]{1,18}-[0-9a-f]{32}$", description="As it was given.")
]


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
    note_change(request, notes.job_reverted(job, told, dry_run=how.dry_run))
    return told


@router.post(
    "/jobs/{key}/review", operation_id="review_job_again", status_code=202,
    response_model=s.ReviewBegunOut, tags=["jobs"], responses=documented(404, 409, 412, 415, 422),
)  # fmt: skip
async def review_job_again(
    app: ReviewsWriter, key: Key, request: Request, if_match: IfMatch = None
) -> dict[str, Any]:
    """Begin to check a job's delivery again, on the base as it is now; the queue heeds it not.

    One that runs already is joined. An event `review_repeated` tells that it is over.
    """
    job = await job_meant(app, key, if_match)
    await what_was_reviewed(app.store, job)
    settings = app.settings
    warnings = await check_warnings(settings)
    reviewer = reviewer_of(app, settings, dict(settings.remotes))
    begun = await service_of(request).reviews.begin(
        job, lambda: review_once_more(app.store, reviewer, job), actor=app.actor
    )
    note_change(request, notes.review_begun(job, begun))
    return {"id": begun, "job_key": job.key, "warnings": warnings}


@router.get(
    "/jobs/{key}/review/{review_id}", operation_id="get_repeated_review",
    response_model=s.RepeatedReviewOut, tags=["jobs"], responses=documented(404),
)  # fmt: skip
async def get_repeated_review(
    app: ReviewsReader, key: Key, review_id: ReviewId, request: Request
) -> dict[str, Any]:
    """Say how a review stands that was asked for again."""
    job = await job_meant(app, key, None)
    return (await service_of(request).reviews.look(job.key, review_id)).to_dict()


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
    note_change(request, notes.queue_cleaned(done_steps(steps)))
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
async def try_notifications(
    app: QueueWriter, request: Request, body: s.NotifyIn | None = None
) -> dict[str, Any]:
    """Send a test message to every address of notify.urls."""
    how = body or s.NotifyIn()
    count = await app.administration.try_notifications(alert=how.alert, dry_run=how.dry_run)
    note_change(request, notes.notifications_tested(count, dry_run=how.dry_run))
    return {"addresses": count}

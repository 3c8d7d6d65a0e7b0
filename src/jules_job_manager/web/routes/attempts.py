"""Attempts, what they handed over, and how that was reviewed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.job import Attempt, AttemptState
from jules_job_manager.domain.review import Verdict
from jules_job_manager.errors import RecordNotFoundError
from jules_job_manager.ports.job_store import AttemptQuery, AttemptSort, ReviewQuery, ReviewSort
from jules_job_manager.services.deliveries import deliveries_of
from jules_job_manager.web.caller import QueueReader, ReviewsReader
from jules_job_manager.web.paging import Cursor, Limit, Search, aware, going_on, page_dict
from jules_job_manager.web.problems import documented
from jules_job_manager.web.routes.jobs import Key, job_meant
from jules_job_manager.web.schemas import jobs as s
from jules_job_manager.web.schemas.base import Page

router = APIRouter(tags=["attempts"])
Mark = Annotated[str, Path(min_length=1, max_length=100, description="The attempt's mark.")]
_FOUND = documented(404)
JobKey = Annotated[str | None, Query(max_length=300, description="Of this job only (exact key).")]
Live = Annotated[bool, Query(description="Only those at work.")]
AccountName = Annotated[str | None, Query(max_length=100, description="Of this account only.")]
Sort = Annotated[
    AttemptSort,
    Query(description="By job and number, or by the attempt's creation; a minus: the reverse."),
]


@router.get("/attempts", operation_id="list_attempts", response_model=Page[s.AttemptOut])
async def list_attempts(
    app: QueueReader, job: JobKey = None, live: Live = False, state: AttemptState | None = None,
    account: AccountName = None, q: Search = None, created_since: datetime | None = None,
    created_before: datetime | None = None, sort: Sort = "job", limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """List attempts. `q` is looked for in the job's key, the attempt's mark and its task's id."""
    query = AttemptQuery(
        job_key=job, live_only=live, state=state, account=account, search=q or "",
        created_since=aware(created_since), created_before=aware(created_before),
        sort=sort, limit=limit,
    )  # fmt: skip
    return page_dict(await app.store.jobs.page_attempts(going_on(query, cursor)), query)


@router.get(
    "/attempts/{mark}", operation_id="get_attempt", response_model=s.AttemptOut, responses=_FOUND
)
async def get_attempt(app: QueueReader, mark: Mark) -> dict[str, Any]:
    """Return one attempt."""
    return (await _attempt_meant(app, mark)).to_dict()


@router.get("/deliveries", operation_id="list_deliveries", response_model=Page[s.DeliveryOut])
async def list_deliveries(
    app: ReviewsReader, job: JobKey = None, live: Live = False,
    merged: Annotated[bool, Query(description="Only those that were merged.")] = False,
    account: AccountName = None, q: Search = None, created_since: datetime | None = None,
    created_before: datetime | None = None, sort: Sort = "job", limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """List what attempts handed over. Times and order are of the attempts."""
    query = AttemptQuery(
        job_key=job, live_only=live, state=AttemptState.ACCEPTED if merged else None,
        account=account, search=q or "", delivered_only=True, sort=sort, limit=limit,
        created_since=aware(created_since), created_before=aware(created_before),
    )  # fmt: skip
    page = await app.store.jobs.page_attempts(going_on(query, cursor))
    return page_dict(page, query, await deliveries_of(app.store, page.items))


@router.get(
    "/deliveries/{mark}",
    operation_id="get_delivery",
    response_model=s.DeliveryOut,
    responses=_FOUND,
)
async def get_delivery(app: ReviewsReader, mark: Mark) -> dict[str, Any]:
    """Return what an attempt handed over last."""
    for delivery in await deliveries_of(app.store, [await _attempt_meant(app, mark)]):
        return delivery.to_dict()
    raise RecordNotFoundError(f"The attempt {mark} has handed over nothing yet.")


@router.get("/reviews", operation_id="list_reviews", response_model=Page[s.ReviewOut])
async def list_reviews(
    app: ReviewsReader, job: JobKey = None, verdict: Verdict | None = None,
    commit: Annotated[
        str | None, Query(max_length=300, description="Of this delivered commit only (whole).")
    ] = None, q: Search = None,
    since: datetime | None = None, before: datetime | None = None,
    sort: Annotated[
        ReviewSort, Query(description="By when they ended: oldest first, or with a minus newest first.")
    ] = "at",
    limit: Limit = 100, cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """List reviews of deliveries. `q` is looked for in the job's key and in all that was found."""
    query = ReviewQuery(
        job_key=job, verdict=verdict, delivered_commit=commit, search=q or "", since=aware(since), before=aware(before),
        sort=sort, limit=limit,
    )  # fmt: skip
    return page_dict(await app.store.jobs.page_reviews(going_on(query, cursor)), query)


@router.get(
    "/jobs/{key}/reviews/{commit}", operation_id="get_review", response_model=s.ReviewOut,
    responses=_FOUND,
)  # fmt: skip
async def get_review(
    app: ReviewsReader, key: Key,
    commit: Annotated[str, Path(min_length=1, max_length=300, description="What was delivered.")],
) -> dict[str, Any]:  # fmt: skip
    """Return the latest review of a job's delivery."""
    job = await job_meant(app, key)
    reviews = await app.store.jobs.reviews_of([(job.key, commit)])
    if not reviews:
        raise RecordNotFoundError(f"{job.key} has no review of {commit}.")
    return reviews[-1].to_dict()


async def _attempt_meant(app: App, mark: str) -> Attempt:
    attempt = await app.store.jobs.get_attempt(mark)
    if attempt is None:
        raise RecordNotFoundError(f"There is no attempt {mark}.")
    return attempt

"""Attempts, and what they handed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.job import Attempt
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.services.deliveries import deliveries_of
from jules_job_manager.web.caller import QueueReader, ReviewsReader
from jules_job_manager.web.paging import Cursor, Limit, opened, sealed
from jules_job_manager.web.schemas import jobs as s
from jules_job_manager.web.schemas.base import Page

router = APIRouter(tags=["attempts"])
JobKey = Annotated[str | None, Query(max_length=300, description="Of this job only (exact key).")]
Live = Annotated[bool, Query(description="Only those at work.")]
_SPLIT = "\x1f"


@router.get("/attempts", operation_id="list_attempts", response_model=Page[s.AttemptOut])
async def list_attempts(
    app: QueueReader, job: JobKey = None, live: Live = False, limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """List attempts, by job and number."""
    shown, following = await _page(app, job, live=live, limit=limit, cursor=cursor)
    return {"items": [attempt.to_dict() for attempt in shown], "next_cursor": following}


@router.get("/deliveries", operation_id="list_deliveries", response_model=Page[s.DeliveryOut])
async def list_deliveries(
    app: ReviewsReader, job: JobKey = None, live: Live = False, limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """List what attempts handed over, by job and number. A page may hold fewer than `limit`."""
    shown, following = await _page(app, job, live=live, limit=limit, cursor=cursor)
    found = await deliveries_of(app.store, shown)
    return {"items": [delivery.to_dict() for delivery in found], "next_cursor": following}


@router.get("/reviews", operation_id="list_reviews", response_model=list[s.ReviewOut])
async def list_reviews(
    app: ReviewsReader, job: Annotated[str, Query(max_length=300, description="Exact key of a job.")]
) -> list[dict[str, Any]]:  # fmt: skip
    """List the reviews of a job's deliveries, oldest first."""
    return [review.to_dict() for review in await app.store.jobs.list_reviews(job)]


async def _page(
    app: App, job: str | None, *, live: bool, limit: int, cursor: str | None
) -> tuple[Sequence[Attempt], str | None]:
    found = await app.store.jobs.list_attempts(
        job, live_only=live, after=_place(opened(cursor)), limit=limit + 1
    )
    shown = found[:limit]
    if len(found) <= limit:
        return shown, None
    return shown, sealed(f"{shown[-1].job_key}{_SPLIT}{shown[-1].number}")


def _place(cursor: str | None) -> tuple[str, int] | None:
    if cursor is None:
        return None
    key, _, number = cursor.rpartition(_SPLIT)
    try:
        return key, int(number)
    except ValueError:
        raise InvalidInputError("The cursor is not one of this list.") from None

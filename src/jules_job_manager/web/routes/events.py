"""Events: what happened, in order."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from jules_job_manager.bootstrap import App
from jules_job_manager.web.caller import EventsReader
from jules_job_manager.web.paging import Limit
from jules_job_manager.web.schemas.queue import EventPage

router = APIRouter(tags=["events"])
AfterId = Annotated[
    int, Query(ge=0, le=2**62, description="Only events with a higher id: the cursor.")
]
EventTypes = Annotated[str | None, Query(max_length=100, description="Only events of this type.")]


@router.get("/events", operation_id="list_events", response_model=EventPage)
async def list_events(
    app: EventsReader,
    subject: Annotated[
        str | None, Query(max_length=400, description="task:ID, job:KEY, backlog:PATH or queue.")
    ] = None,
    type: EventTypes = None,  # noqa: A002 - the event's own member
    after: AfterId = 0,
    limit: Limit = 100,
) -> dict[str, Any]:
    """Return events, oldest first, from a cursor on."""
    return await page_of_events(app, subject=subject, after=after, types=type, limit=limit)


async def page_of_events(
    app: App, *, subject: str | None, after: int, types: str | None, limit: int
) -> dict[str, Any]:
    """Return a page of events as JSON values."""
    found = await app.store.events.read(subject=subject, type=types, after_id=after, limit=limit)
    return {
        "items": [event.to_dict() for event in found],
        "last_id": await app.store.events.last_id(),
    }

"""Events: what happened, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.json_text import text_of
from jules_job_manager.web.caller import EventsReader
from jules_job_manager.web.json_answers import json_answer
from jules_job_manager.web.paging import Limit
from jules_job_manager.web.plain_reads import PlainReadRoute, answered, shared_answer
from jules_job_manager.web.schemas.queue import EventPage

reads = APIRouter(tags=["events"], route_class=PlainReadRoute)
AfterId = Annotated[
    int, Query(ge=0, le=2**62, description="Only events with a higher id: the cursor.")
]
EventTypes = Annotated[str | None, Query(max_length=100, description="Only events of this type.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    subject: str | None
    types: str | None
    after: int
    limit: int


async def _page(app: App, wanted: _Wanted) -> Response:
    found = await page_of_events(
        app, subject=wanted.subject, after=wanted.after, types=wanted.types, limit=wanted.limit
    )
    return json_answer(text_of(found))


@reads.get("/events", operation_id="list_events", response_model=EventPage)
@answered(_page)
async def list_events(
    app: EventsReader,
    request: Request,
    subject: Annotated[
        str | None, Query(max_length=400, description="task:ID, job:KEY, backlog:PATH or queue.")
    ] = None,
    type: EventTypes = None,  # noqa: A002 - the event's own member
    after: AfterId = 0,
    limit: Limit = 100,
) -> Response:
    """Return events, oldest first, from a cursor on."""
    wanted = _Wanted(subject=subject, types=type, after=after, limit=limit)
    return await shared_answer(request, app, wanted)


async def page_of_events(
    app: App, *, subject: str | None, after: int, types: str | None, limit: int
) -> dict[str, Any]:
    """Return a page of events as JSON values."""
    found = await app.store.events.read(subject=subject, type=types, after_id=after, limit=limit)
    return {
        "items": [event.to_dict() for event in found],
        "last_id": await app.store.events.last_id(),
    }

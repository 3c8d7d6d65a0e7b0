"""Events: what happened, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.event_filter import EVERY_EVENT, EventFilter
from jules_job_manager.domain.json_text import text_of
from jules_job_manager.errors import RecordNotFoundError
from jules_job_manager.web.caller import EventsReader
from jules_job_manager.web.event_choice import ABOUT, LONGEST_VALUE, MOST_VALUES, event_choice
from jules_job_manager.web.json_answers import json_answer
from jules_job_manager.web.paging import Limit, aware
from jules_job_manager.web.plain_reads import PlainReadRoute, answered, shared_answer
from jules_job_manager.web.problems import documented
from jules_job_manager.web.schemas.queue import EventOut, EventPage

MOST_ID = 2**62
reads = APIRouter(tags=["events"], route_class=PlainReadRoute)
router = APIRouter(tags=["events"])
AfterId = Annotated[
    int, Query(ge=0, le=MOST_ID, description="Only events with a higher id: the cursor.")
]
BeforeId = Annotated[
    int | None,
    Query(ge=0, le=MOST_ID, description="Only events with a lower id: the cursor, newest first."),
]
EventSort = Annotated[
    Literal["id", "-id"], Query(description="Oldest first, or with a minus newest first.")
]
_Value = Annotated[str, StringConstraints(max_length=LONGEST_VALUE)]
EventTypes = Annotated[list[_Value], Query(max_length=MOST_VALUES, description=ABOUT["type"])]
Subjects = Annotated[list[_Value], Query(max_length=MOST_VALUES, description=ABOUT["subject"])]
Tasks = Annotated[list[_Value], Query(max_length=MOST_VALUES, description=ABOUT["task"])]
Jobs = Annotated[list[_Value], Query(max_length=MOST_VALUES, description=ABOUT["job"])]
Since = Annotated[datetime | None, Query(description=ABOUT["since"])]
Until = Annotated[datetime | None, Query(description=ABOUT["until"])]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A page of events."""

    matching: EventFilter = EVERY_EVENT
    after: int = 0
    before: int | None = None
    sort: Literal["id", "-id"] = "id"
    limit: int


async def _history(
    type: EventTypes = [],  # noqa: A002, B006 - the event's own member; each request has its list
    since: Since = None,
    until: Until = None,
    after: AfterId = 0,
    before: BeforeId = None,
    sort: EventSort = "id",
    limit: Limit = 100,
) -> Wanted:
    matching = event_choice(types=type, since=aware(since), until=aware(until))
    return Wanted(matching=matching, after=after, before=before, sort=sort, limit=limit)


History = Annotated[Wanted, Depends(_history)]
"""A page of events by all that lists of them take, but for what they are about."""


async def _page(app: App, wanted: Wanted) -> Response:
    return json_answer(text_of(await page_of_events(app, wanted)))


@reads.get("/events", operation_id="list_events", response_model=EventPage)
@answered(_page)
async def list_events(
    app: EventsReader,
    request: Request,
    wanted: History,
    subject: Subjects = [],  # noqa: B006 - FastAPI makes each request a list of its own
    task: Tasks = [],  # noqa: B006
    job: Jobs = [],  # noqa: B006
) -> Response:
    """Return events, from an id on or, newest first, before one.

    `type`, `subject`, `task` and `job` may be there several times. A type and the times must fit,
    and of the other three one.
    """
    about = event_choice(subjects=subject, tasks=task, jobs=job)
    matching = replace(
        wanted.matching, subjects=about.subjects, subject_prefixes=about.subject_prefixes
    )
    return await shared_answer(request, app, replace(wanted, matching=matching))


@router.get(
    "/events/{event_id}", operation_id="get_event", response_model=EventOut,
    responses=documented(404),
)  # fmt: skip
async def get_event(
    app: EventsReader, event_id: Annotated[int, Path(ge=1, le=MOST_ID)]
) -> dict[str, Any]:
    """Return one event."""
    found = await app.store.events.read(after_id=event_id - 1, before_id=event_id + 1)
    if not found:
        raise RecordNotFoundError(f"There is no event {event_id}.")
    return found[0].to_dict()


async def page_of_events(app: App, wanted: Wanted) -> dict[str, Any]:
    """Return a page of events as JSON values."""
    found = await app.store.events.read(
        matching=wanted.matching, after_id=wanted.after, before_id=wanted.before,
        newest_first=wanted.sort == "-id", limit=wanted.limit,
    )  # fmt: skip
    return {
        "items": [event.to_dict() for event in found],
        "last_id": await app.store.events.last_id(),
    }


async def history_of(app: App, subject: str, wanted: Wanted) -> dict[str, Any]:
    """Return a page of what happened to a task or a job."""
    matching = replace(wanted.matching, subjects=frozenset({subject}))
    return await page_of_events(app, replace(wanted, matching=matching))

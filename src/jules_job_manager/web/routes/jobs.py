"""Jobs of the queue, and what a person does to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain import change_notes as notes
from jules_job_manager.domain.job import Job, JobStatus, Priority
from jules_job_manager.domain.job_keys import find_job
from jules_job_manager.domain.report.story import story_markdown
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.job_store import JobQuery, JobSort
from jules_job_manager.services.ending import end_task
from jules_job_manager.services.job_desk import TEXTS, JobDesk
from jules_job_manager.services.story import story_of
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.batches import one_by_one
from jules_job_manager.web.caller import (
    EventsReader,
    QueueReader,
    QueueWriter,
    ReviewsReader,
    ReviewsWriter,
)
from jules_job_manager.web.changes import job_changed
from jules_job_manager.web.etags import IfMatch, require_match, tagged
from jules_job_manager.web.idempotency import IdempotentRoute, is_again
from jules_job_manager.web.paging import Cursor, Limit, Search, going_on, page_dict
from jules_job_manager.web.problems import documented
from jules_job_manager.web.routes.events import History, history_of
from jules_job_manager.web.schemas import jobs as s
from jules_job_manager.web.schemas.base import BatchResult, Page
from jules_job_manager.web.schemas.queue import EventPage

router = APIRouter(tags=["jobs"], route_class=IdempotentRoute)
Key = Annotated[
    str,
    Path(
        alias="key", min_length=1, max_length=300,
        description="The job's key, for example `Task 1`; upper and lower case do not matter.",
    ),
]  # fmt: skip
_FOUND = documented(404)
_ACTS = documented(404, 409, 412, 415, 422)


@router.get("/jobs", operation_id="list_jobs", response_model=Page[s.JobOut])
async def list_jobs(
    app: QueueReader,
    status: JobStatus | None = None,
    priority: Priority | None = None,
    repository: Annotated[str | None, Query(max_length=300)] = None,
    backlog: Annotated[str | None, Query(max_length=2000)] = None,
    q: Search = None,
    sort: Annotated[
        JobSort,
        Query(description="By document and place in it, key, or a time; a minus: the reverse."),
    ] = "place",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List jobs."""
    query = JobQuery(
        status=status, priority=priority, repository=repository, backlog=backlog, search=q or "",
        sort=sort, limit=limit,
    )  # fmt: skip
    return page_dict(await app.store.jobs.page_jobs(going_on(query, cursor)), query)


@router.post(
    "/jobs", operation_id="create_job", status_code=201, response_model=s.JobOut, responses=_ACTS
)
async def create_job(
    app: QueueWriter, request: Request, body: s.NewJobIn, response: Response
) -> dict[str, Any]:
    """Put a job into the queue that is in no document."""
    from urllib.parse import quote

    job = await _desk(app).add(**body.model_dump(), may_be_there=is_again(request))
    note_change(request, notes.job_created(job.key, body.model_dump(mode="json")))
    response.headers["Location"] = f"/api/v1/jobs/{quote(job.key, safe='')}"
    return tagged(response, job.to_dict())


@router.post(
    "/jobs/batch", operation_id="create_jobs", response_model=BatchResult[s.JobOut], responses=_ACTS
)
async def create_jobs(app: QueueWriter, body: s.NewJobsIn, request: Request) -> dict[str, Any]:
    """Put several jobs into the queue, in the order given; a job may depend on one before it."""

    async def work(item: s.NewJobIn) -> dict[str, Any]:
        there = is_again(request)
        return (await _desk(app).add(**item.model_dump(), may_be_there=there)).to_dict()

    return await one_by_one(request, body.jobs, work, resource="jobs", id_name="key")


@router.get("/jobs/{key}", operation_id="get_job", response_model=s.JobOut, responses=_FOUND)
async def get_job(app: QueueReader, key: Key, response: Response) -> dict[str, Any]:
    """Return one job."""
    return tagged(response, (await job_meant(app, key)).to_dict())


@router.patch("/jobs/{key}", operation_id="update_job", response_model=s.JobOut, responses=_ACTS)
async def update_job(
    app: QueueWriter,
    request: Request,
    key: Key,
    body: s.JobChangeIn,
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Change a job: its texts when no document has it, and when and how it runs in any case."""
    given = body.model_dump(exclude_unset=True)
    nulls = sorted(name for name, value in given.items() if value is None)
    if nulls:
        raise InvalidInputError(f"{nulls[0]} cannot be null.", hint="Leave it out to keep it.")
    before = job = await job_meant(app, key, if_match)
    texts = {name: value for name, value in given.items() if name in TEXTS}
    plan = {name: value for name, value in given.items() if name not in TEXTS | {"pinned"}}
    if texts:
        job = await _desk(app).change(job.key, texts)
    if plan:
        job = await app.queue_admin.plan(job, **plan)
    if "pinned" in given:
        job = await app.queue_admin.pin(job, pinned=given["pinned"])
    return job_changed(request, response, before, job)


@router.delete("/jobs/{key}", operation_id="delete_job", status_code=204, responses=_ACTS)
async def delete_job(
    app: QueueWriter, request: Request, key: Key, if_match: IfMatch = None
) -> None:
    """Take a job out that no document has and no task works on."""
    job = await job_meant(app, key, if_match)
    await _desk(app).remove(job.key)
    note_change(request, notes.job_deleted(job))


@router.post("/jobs/{key}/hold", operation_id="hold_job", response_model=s.JobOut, responses=_ACTS)
async def hold_job(
    app: QueueWriter, request: Request, key: Key, response: Response, body: s.ReasonIn | None = None,
    if_match: IfMatch = None,
) -> dict[str, Any]:  # fmt: skip
    """Keep a job from starting until it is released."""
    before = await job_meant(app, key, if_match)
    held = await app.queue_admin.hold(before, (body or s.ReasonIn()).reason)
    return job_changed(request, response, before, held)


@router.post(
    "/jobs/{key}/release", operation_id="release_job", response_model=s.JobOut, responses=_ACTS
)
async def release_job(
    app: QueueWriter, request: Request, key: Key, response: Response, if_match: IfMatch = None
) -> dict[str, Any]:
    """Let a held job go on."""
    before = await job_meant(app, key, if_match)
    return job_changed(request, response, before, await app.queue_admin.release(before))


@router.post(
    "/jobs/{key}/move", operation_id="move_job", response_model=s.OrderOut, responses=_ACTS
)
async def move_job(
    app: QueueWriter, request: Request, key: Key, body: s.MoveIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Give a waiting job another place; the answer is the new order."""
    job = await job_meant(app, key, if_match)
    other = None if body.other is None else await job_meant(app, body.other)
    moved = await app.queue_admin.move(job, to=body.to, other=other)
    note_change(request, notes.job_moved(job.key, moved.keys, moved.was))
    return {"keys": list(moved.keys)}


@router.post("/jobs/{key}/skip", operation_id="skip_job", response_model=s.JobOut, responses=_ACTS)
async def skip_job(
    app: QueueWriter, request: Request, key: Key, response: Response, if_match: IfMatch = None
) -> dict[str, Any]:
    """Take a waiting job out; what depends on it does not wait for it."""
    before = await job_meant(app, key, if_match)
    return job_changed(request, response, before, await app.queue_admin.skip(before))


@router.post(
    "/jobs/{key}/cancel", operation_id="cancel_job", response_model=s.CancelOut, responses=_ACTS
)
async def cancel_job(
    app: QueueWriter,
    request: Request,
    key: Key,
    body: s.CancelIn | None = None,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Take a job out, and end its task."""
    what = (body or s.CancelIn()).task
    before = await job_meant(app, key, if_match)
    job, attempts = await app.queue_admin.cancel(before)
    note_change(request, notes.job_changed(before, job))
    accounts = app.accounts() if what != "keep" else {}
    ended = []
    for attempt in attempts:
        account = accounts.get(attempt.account)
        tasks = None if account is None else account.tasks
        ended.append(await end_task(tasks, attempt.task_id, what))
    return {
        "job": job.to_dict(),
        "attempts": [attempt.to_dict() for attempt in attempts],
        "notes": ended,
    }


@router.post(
    "/jobs/{key}/retry", operation_id="retry_job", response_model=s.JobOut, responses=_ACTS
)
async def retry_job(
    app: QueueWriter, request: Request, key: Key, response: Response, if_match: IfMatch = None
) -> dict[str, Any]:
    """Let a failed or cancelled job have another attempt."""
    before = await job_meant(app, key, if_match)
    return job_changed(request, response, before, await app.interventions.retry(before))


@router.post(
    "/jobs/{key}/adopt", operation_id="adopt_task", response_model=s.JobOut, responses=_ACTS
)
async def adopt_task(
    app: QueueWriter,
    request: Request,
    key: Key,
    body: s.AdoptIn,
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Give a job the task that already works on it."""
    job = await job_meant(app, key, if_match)
    task = await app.tasks.get_task(body.task)
    backends = {backend: name for name, (backend, _) in app.account_choices().items()}
    account = backends.get(task.backend, "default")
    adopted = await app.interventions.adopt(job, task.id, account=account)
    return job_changed(request, response, job, adopted)


@router.post(
    "/jobs/{key}/approve-merge", operation_id="approve_merge", response_model=s.ReviewOut,
    responses=_ACTS,
)  # fmt: skip
async def approve_merge(
    app: ReviewsWriter, request: Request, key: Key, if_match: IfMatch = None
) -> dict[str, Any]:  # fmt: skip
    """Let the delivery that was reviewed last be merged; the approval is of that commit alone."""
    review = await app.interventions.approve_merge(await job_meant(app, key, if_match))
    note_change(request, notes.merge_approved(review))
    return review.to_dict()


@router.post("/jobs/{key}/sign", operation_id="sign_job", response_model=s.JobOut, responses=_ACTS)
async def sign_job(
    app: ReviewsWriter,
    request: Request,
    key: Key,
    body: s.SignIn,
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Answer for a line of the job's checklist, saying what was seen."""
    before = await job_meant(app, key, if_match)
    signed = await app.interventions.sign(before, body.line, body.evidence)
    return job_changed(request, response, before, signed)


@router.get("/jobs/{key}/why", operation_id="why_job", response_model=s.WhyOut, responses=_FOUND)
async def why_job(app: QueueReader, key: Key) -> dict[str, Any]:
    """Say why a job is not running, and when it will."""
    job, told = await app.why(key)
    return {"job": job.to_dict(), **told}


@router.get(
    "/jobs/{key}/story", operation_id="job_story", response_model=s.StoryOut, responses=_FOUND
)
async def job_story(app: ReviewsReader, key: Key) -> dict[str, Any]:
    """Return the whole story of a job on one page of Markdown."""
    job = await job_meant(app, key)
    return {"key": job.key, "markdown": story_markdown(await story_of(app.store, job))}


@router.get(
    "/jobs/{key}/attempts", operation_id="list_job_attempts", response_model=list[s.AttemptOut],
    responses=_FOUND,
)  # fmt: skip
async def list_job_attempts(app: QueueReader, key: Key) -> list[dict[str, Any]]:
    """Return the attempts made at a job."""
    job = await job_meant(app, key)
    return [attempt.to_dict() for attempt in await app.store.jobs.list_attempts(job.key)]


@router.get(
    "/jobs/{key}/reviews", operation_id="list_job_reviews", response_model=list[s.ReviewOut],
    responses=_FOUND,
)  # fmt: skip
async def list_job_reviews(app: ReviewsReader, key: Key) -> list[dict[str, Any]]:
    """Return the reviews of a job's deliveries, oldest first."""
    job = await job_meant(app, key)
    return [review.to_dict() for review in await app.store.jobs.list_reviews(job.key)]


@router.get(
    "/jobs/{key}/events", operation_id="list_job_events", response_model=EventPage, responses=_FOUND
)
async def list_job_events(app: EventsReader, key: Key, wanted: History) -> dict[str, Any]:
    """Return the history of a job; `type` may be there several times."""
    return await history_of(app, f"job:{(await job_meant(app, key)).key}", wanted)


async def job_meant(app: App, key: str, if_match: str | None = None) -> Job:
    """Return the job meant, if it still is what the caller saw."""
    job = await app.store.jobs.get_job(key)
    if job is None:  # perhaps written in another case
        job = find_job(await app.store.jobs.list_jobs(), key)
    require_match(if_match, job.to_dict())
    return job


def _desk(app: App) -> JobDesk:
    return JobDesk(store=app.store, clock=app.clock, actor=app.actor)

"""Tasks: sessions of Jules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain import change_notes as notes
from jules_job_manager.domain.clockwork import optional_to_rfc3339, to_rfc3339
from jules_job_manager.domain.entity_tag import text_tag
from jules_job_manager.domain.json_text import text_of
from jules_job_manager.domain.references import repository_from
from jules_job_manager.domain.task import JulesTask, NewTask, TaskStatus
from jules_job_manager.ports.task_reader import TaskStanding, standing_of
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.stored_tasks import (
    stored_standing,
    stored_task,
    stored_text,
    task_if_stored,
)
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.batches import one_by_one
from jules_job_manager.web.caller import EventsReader, TasksReader, TasksWriter
from jules_job_manager.web.etags import IfMatch, require_tag
from jules_job_manager.web.idempotency import IdempotentRoute, done_once
from jules_job_manager.web.json_answers import json_answer
from jules_job_manager.web.paging import Cursor, Limit, Search, aware, going_on, sealed
from jules_job_manager.web.plain_reads import PlainReadRoute, answered, shared_answer
from jules_job_manager.web.problems import documented
from jules_job_manager.web.routes.events import History, history_of
from jules_job_manager.web.schemas import tasks as s
from jules_job_manager.web.schemas.base import BatchResult
from jules_job_manager.web.schemas.queue import EventPage

reads = APIRouter(tags=["tasks"], route_class=PlainReadRoute)
"""What is asked for most; the application takes it first, because routes are looked through in their order."""
router = APIRouter(tags=["tasks"], route_class=IdempotentRoute)
Reference = Annotated[
    str,
    Path(
        alias="task_id", min_length=1, max_length=300,
        description="The task's id, or the first characters of one that is stored.",
    ),
]  # fmt: skip
Fresh = Annotated[
    bool, Query(description="Ask Jules first. Otherwise the answer is what is stored.")
]
_FOUND = documented(404)
_ACTS = documented(404, 409, 415, 422)


async def _task_text(app: App, reference: str) -> Response:
    return json_answer(await stored_text(app.store, app.reader, reference), tagged=True)


@reads.get("/tasks/{task_id}", operation_id="get_task", response_model=s.TaskOut, responses=_FOUND)
@answered(_task_text)
async def get_task(app: TasksReader, reference: Reference, fresh: Fresh = False) -> Response:
    """Return one task with its chat and files."""
    if fresh:
        return json_answer(text_of((await app.tasks.get_task(reference)).to_dict()), tagged=True)
    return await _task_text(app, reference)


async def _standing(app: App, reference: str) -> Response:
    return _standing_answer(*await stored_standing(app.store, app.reader, reference))


def _standing_answer(task_id: str, found: TaskStanding) -> Response:
    answer = {
        "task_id": task_id, "status": found.status, "raw_state": found.raw_state,
        "updated_at": found.updated_at, "seen_at": found.seen_at,
        "finished": TaskStatus(found.status).is_finished, "progress": found.last_message[:500],
    }  # fmt: skip
    return json_answer(text_of(answer))


@reads.get(
    "/tasks/{task_id}/status", operation_id="get_task_status", response_model=s.TaskStatusOut,
    responses=_FOUND,
)  # fmt: skip
@answered(_standing)
async def get_task_status(
    app: TasksReader,
    reference: Reference,
    fresh: Annotated[
        float | None,
        Query(ge=0, le=3600, description="Ask Jules unless it was asked this many seconds ago."),
    ] = None,
) -> Response:
    """Return where a task stands. Those who watch share one budget of calls to Jules."""
    if fresh is None:
        return await _standing(app, reference)
    observer = await app.observer_of(reference)
    task = await observer.look_at(reference, fresh_seconds=fresh)
    return _standing_answer(task.id, standing_of(task))


async def _page(
    app: App, query: TaskQuery, stale_since: datetime | None = None, failure: str | None = None,
    account: str | None = None,
) -> Response:  # fmt: skip
    wanted = query if account is None else replace(query, backend=account)
    page = await app.reader.list_tasks(wanted)
    rest = {
        "next_cursor": sealed(page.next_cursor, query), "stale_since": optional_to_rfc3339(stale_since),
        "failure": failure,
    }  # fmt: skip
    text = f'{{"items":[{",".join(page.items)}],{text_of(rest)[1:]}'
    return json_answer(text, is_finite=True)


@reads.get("/tasks", operation_id="list_tasks", response_model=s.TaskPage)
@answered(_page)
async def list_tasks(
    app: TasksReader,
    request: Request,
    status: TaskStatus | None = None,
    repository: Annotated[str | None, Query(max_length=300)] = None,
    backend: Annotated[str | None, Query(max_length=100)] = None,
    archived: Annotated[bool, Query(description="The archived too.")] = False,
    q: Search = None,
    changed_since: datetime | None = None,
    changed_before: datetime | None = None,
    created_since: datetime | None = None,
    created_before: datetime | None = None,
    sort: Annotated[
        Literal["-changed", "changed"], Query(description="By the last change, newest first: -changed.")
    ] = "-changed",
    limit: Limit = 100,
    cursor: Cursor = None,
    fresh: Fresh = False,
) -> Response:  # fmt: skip
    """List tasks.

    With `fresh`, Jules is asked for its tasks first; when it cannot be reached, what is stored is
    answered and `stale_since` says how old it is.
    """
    stale_since, failure, account = None, None, None
    wanted = repository_from(repository) if repository else None
    if fresh:
        found = await app.tasks.list_tasks(
            status=status, repository=wanted, include_archived=archived, limit=limit
        )
        stale_since = found.stale_since
        failure = None if found.failure is None else str(found.failure)
        account = app.account_choices()["default"][0]
    query = TaskQuery(
        status=status, repository=wanted, backend=backend, include_archived=archived, limit=limit,
        oldest_first=sort == "changed", search=q or "",
        changed_since=aware(changed_since), changed_before=aware(changed_before),
        created_since=aware(created_since), created_before=aware(created_before),
    )  # fmt: skip
    query = going_on(query, cursor)
    if not fresh:
        return await shared_answer(request, app, query)
    return await _page(app, query, stale_since, failure, account)


@router.post(
    "/tasks", operation_id="create_task", status_code=201, response_model=s.TaskOut, responses=_ACTS,
    dependencies=[Depends(done_once)],
)  # fmt: skip
async def create_task(
    app: TasksWriter, request: Request, body: s.NewTaskIn, response: Response
) -> dict[str, Any]:
    """Create a task at Jules."""
    task = await _created(app, body)
    note_change(request, notes.task_created(task.id, body.model_dump(mode="json")))
    response.headers["Location"] = f"/api/v1/tasks/{task.id}"
    response.headers["ETag"] = text_tag(text_of(task.to_dict()))
    return task.to_dict()


@router.post(
    "/tasks/batch", operation_id="create_tasks", response_model=BatchResult[s.TaskOut], responses=_ACTS,
    dependencies=[Depends(done_once)],
)  # fmt: skip
async def create_tasks(
    app: TasksWriter, body: s.NewTasksIn, request: Request
) -> dict[str, Any]:  # fmt: skip
    """Create several tasks; each answer says what became of it alone."""

    async def work(item: s.NewTaskIn) -> dict[str, Any]:
        return (await _created(app, item)).to_dict()

    return await one_by_one(request, body.tasks, work, resource="tasks", id_name="id")


@router.post("/tasks/check", operation_id="check_task", response_model=s.NewTaskIn, responses=_ACTS)
async def check_task(app: TasksWriter, body: s.NewTaskIn) -> dict[str, Any]:
    """Check a task and create nothing; return it as it would be sent."""
    new = app.tasks.checked(_new(body))
    return {
        "description": new.description, "repository": new.repository, "branch": new.branch,
        "title": new.title, "require_plan_approval": new.require_plan_approval,
        "auto_create_pr": new.auto_create_pr,
    }  # fmt: skip


@router.put(
    "/tasks/{task_id}", operation_id="update_task", response_model=s.TaskOut,
    responses=documented(404, 409, 412, 415),
)  # fmt: skip
async def update_task(
    app: TasksWriter, request: Request, reference: Reference, body: s.TaskChangeIn,
    if_match: IfMatch = None,
) -> Response:  # fmt: skip
    """Archive a task, or bring it back."""
    if if_match is not None:
        require_tag(if_match, text_tag(await stored_text(app.store, app.exact_reader, reference)))
    was = await task_if_stored(app.store, reference)
    task_id = await app.tasks.set_archived(reference, archived=body.archived)
    note_change(request, notes.task_archived(task_id, was, archived=body.archived))
    return json_answer(await _as_changed(app, task_id), tagged=True)


@router.delete(
    "/tasks/{task_id}", operation_id="delete_task", status_code=204,
    responses=documented(404, 409, 412),
)  # fmt: skip
async def delete_task(
    app: TasksWriter, request: Request, reference: Reference, if_match: IfMatch = None
) -> None:
    """Delete a task at Jules for good; what is stored of it goes too, its events stay."""
    if if_match is not None:
        require_tag(if_match, text_tag(await stored_text(app.store, app.exact_reader, reference)))
    was = await task_if_stored(app.store, reference)
    task_id = await app.tasks.delete_task(reference)
    note_change(request, notes.task_deleted(task_id, was))


@router.post(
    "/tasks/{task_id}/message", operation_id="send_message", response_model=s.TaskActOut,
    responses=_ACTS, dependencies=[Depends(done_once)],
)  # fmt: skip
async def send_message(
    app: TasksWriter, request: Request, reference: Reference, body: s.MessageIn
) -> dict[str, Any]:
    """Send a message to a task's conversation."""
    task_id = await app.tasks.send_message(reference, body.text)
    note_change(request, notes.message_sent(task_id, body.text))
    return _act(app, await _as_stored(app, task_id))


@router.post(
    "/tasks/{task_id}/approve", operation_id="approve_plan", response_model=s.TaskActOut,
    responses=_ACTS,
)  # fmt: skip
async def approve_plan(
    app: TasksWriter, request: Request, reference: Reference, body: s.ApprovalIn | None = None
) -> dict[str, Any]:
    """Approve the plan that waits. With `plan`, only if it still is the one that was seen."""
    expected = None if body is None else body.plan
    task = await app.tasks.approve_plan(reference, expected_plan=expected)
    note_change(request, notes.plan_approved(task))
    return _act(app, task)


@router.post(
    "/tasks/{task_id}/decline", operation_id="decline_plan", response_model=s.TaskActOut,
    responses=_ACTS,
)  # fmt: skip
async def decline_plan(
    app: TasksWriter, request: Request, reference: Reference, body: s.DeclineIn
) -> dict[str, Any]:
    """Decline the plan that was seen: the queue asks no more about it. Jules is told nothing."""
    task = await stored_task(app.store, reference)
    await app.interventions.decline_plan(task, body.plan)
    note_change(request, notes.plan_declined(task.id, body.plan))
    return _act(app, task)


@router.post(
    "/tasks/{task_id}/resume", operation_id="resume_task", response_model=s.TaskActOut,
    responses=_ACTS,
)  # fmt: skip
async def resume_task(app: TasksWriter, request: Request, reference: Reference) -> dict[str, Any]:
    """Make a paused task go on."""
    task = await app.tasks.resume_task(reference)
    note_change(request, notes.task_resumed(task))
    return _act(app, task)


@router.get(
    "/tasks/{task_id}/id", operation_id="resolve_task", response_model=s.TaskIdOut,
    responses=_FOUND,
)  # fmt: skip
async def resolve_task(app: TasksReader, reference: Reference) -> dict[str, Any]:
    """Return the full id for the first characters of one."""
    return {"task_id": await app.tasks.resolve(reference)}


@router.get(
    "/tasks/{task_id}/events", operation_id="list_task_events", response_model=EventPage,
    responses=_FOUND,
)  # fmt: skip
async def list_task_events(
    app: EventsReader, reference: Reference, wanted: History
) -> dict[str, Any]:
    """Return the history of a task; `type` may be there several times."""
    return await history_of(app, f"task:{await app.tasks.resolve(reference)}", wanted)


@router.get(
    "/tasks/{task_id}/activities", operation_id="list_activities",
    response_model=list[s.ActivityOut], responses=_FOUND,
)  # fmt: skip
async def list_activities(
    app: TasksReader, reference: Reference, fresh: Fresh = False
) -> list[dict[str, Any]]:
    """Return what happened in a task, oldest first."""
    if fresh:
        return [activity.to_dict() for activity in await app.tasks.activities(reference)]
    task = await stored_task(app.store, reference)
    return [activity.to_dict() for activity in await app.store.tasks.list_activities(task.id)]


@router.get(
    "/tasks/{task_id}/plans", operation_id="list_plans", response_model=list[s.TaskPlanOut],
    responses=_FOUND,
)  # fmt: skip
async def list_plans(
    app: TasksReader, reference: Reference, fresh: Fresh = False
) -> list[dict[str, Any]]:
    """Return every plan the task ever had, oldest first; the last one counts."""
    if fresh:
        plans = await app.tasks.plans(reference)
    else:
        task = await stored_task(app.store, reference)
        plans = await app.store.tasks.list_plans(task.id)
    return [{**plan.to_dict(), "fingerprint": plan.fingerprint} for plan in plans]


@router.get(
    "/tasks/{task_id}/patches", operation_id="list_patches", response_model=list[s.ChangeSetOut],
    responses=_FOUND,
)  # fmt: skip
async def list_patches(app: TasksReader, reference: Reference) -> list[dict[str, Any]]:
    """Return every patch the task was ever seen to have, oldest first."""
    task = await stored_task(app.store, reference)
    return [patch.to_dict() for patch in await app.store.tasks.list_patches(task.id)]


@router.get(
    "/tasks/{task_id}/change-set", operation_id="get_change_set", response_model=s.ChangeSetOut,
    responses=documented(404, 409),
)  # fmt: skip
async def get_change_set(app: TasksReader, reference: Reference) -> dict[str, Any]:
    """Ask Jules for the task and return its latest change."""
    return (await app.tasks.change_set(reference)).to_dict()


@router.get("/sources", operation_id="list_sources", response_model=list[s.SourceOut])
async def list_sources(app: TasksReader) -> list[dict[str, Any]]:
    """Return the repositories Jules may work on."""
    return [source.to_dict() for source in await app.tasks.list_sources()]


async def _created(app: App, body: s.NewTaskIn) -> JulesTask:
    return await app.tasks.create_task(_new(body))


def _new(body: s.NewTaskIn) -> NewTask:
    return NewTask(**body.model_dump())


async def _as_changed(app: App, task_id: str) -> str:
    """Return a task as it is now, also one that Jules has and the store does not."""
    found = await app.exact_reader.task(task_id)
    return text_of((await _as_stored(app, task_id)).to_dict()) if found is None else found


async def _as_stored(app: App, task_id: str) -> JulesTask:
    return await app.store.tasks.get_task(task_id) or JulesTask(id=task_id)


def _act(app: App, task: JulesTask) -> dict[str, Any]:
    return {
        "task_id": task.id, "status": task.status, "at": to_rfc3339(app.clock.now()),
        "task": task.to_dict(),
    }  # fmt: skip

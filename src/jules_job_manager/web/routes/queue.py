"""The queue as a whole: how it stands, its pace, its quota, and what waits for a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jules_job_manager._version import __version__
from jules_job_manager.bootstrap import App
from jules_job_manager.bootstrap.queue import queue_policy
from jules_job_manager.domain import change_notes as notes
from jules_job_manager.domain.json_text import text_of
from jules_job_manager.services.decisions import (
    DecisionKind,
    DecisionQuery,
    DecisionSort,
    waiting_decisions,
)
from jules_job_manager.services.queue_look import PAUSED_NOTE
from jules_job_manager.services.queue_summary import queue_summary
from jules_job_manager.settings.shown import rows
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.caller import QueueReader, QueueWriter, SettingsReader, service_of
from jules_job_manager.web.idempotency import IdempotentRoute
from jules_job_manager.web.json_answers import json_answer
from jules_job_manager.web.paging import Cursor, Limit, Search, going_on, page_dict
from jules_job_manager.web.plain_reads import PlainReadRoute, answered, shared_answer
from jules_job_manager.web.problems import documented
from jules_job_manager.web.schemas import queue as s
from jules_job_manager.web.schemas.base import Page
from jules_job_manager.web.schemas.board import BoardOut

reads = APIRouter(tags=["queue"], route_class=PlainReadRoute)
"""What boards ask for again and again."""
router = APIRouter(tags=["queue"], route_class=IdempotentRoute)
_ACTS = documented(409, 415, 422)


async def _summary(app: App, _: object) -> Response:
    return json_answer(text_of(await queue_summary(app.store, app.clock.now())))


@reads.get("/queue", operation_id="get_queue", response_model=s.QueueOut)
@answered(_summary)
async def get_queue(app: QueueReader, request: Request) -> Response:
    """Count the jobs by status, and say what needs a person and what comes next."""
    return await shared_answer(request, app, ())


@router.get("/queue/outlook", operation_id="get_outlook", response_model=s.OutlookOut)
async def get_outlook(app: QueueReader) -> dict[str, Any]:
    """Say what the queue would do next, as far as the store knows; Jules is not asked."""
    return (await app.outlook()).to_dict()


@router.get("/queue/board", operation_id="get_board", response_model=BoardOut)
async def get_board(app: QueueReader) -> dict[str, Any]:
    """Return what a live board shows: how the queue stands, and the plans a person may decide on."""
    return (await app.board()).to_dict()


@router.post("/queue/pause", operation_id="pause_queue", status_code=204, responses=_ACTS)
async def pause_queue(app: QueueWriter, request: Request, body: s.PauseIn | None = None) -> None:
    """Let no job get an attempt until it is resumed; what runs goes on."""
    was = await app.store.get_note(PAUSED_NOTE)
    reason = await app.queue_admin.pause((body or s.PauseIn()).reason)
    note_change(request, notes.queue_paused(reason, was))


@router.post(
    "/queue/resume", operation_id="resume_queue", response_model=s.ResumedOut, responses=_ACTS
)
async def resume_queue(app: QueueWriter, request: Request) -> dict[str, Any]:
    """Let jobs start again."""
    was = await app.store.get_note(PAUSED_NOTE)
    was_paused = await app.queue_admin.resume()
    note_change(request, notes.queue_resumed(was, was_paused=was_paused))
    return {"was_paused": was_paused}


@router.get("/quota", operation_id="get_quota", response_model=list[s.QuotaOut])
async def get_quota(
    app: QueueReader,
    fresh: Annotated[bool, Query(description="Ask Jules first; else what is stored counts.")] = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return how many tasks each account has left, and when the next may start."""
    uses = await app.quota(asks=fresh)
    now = app.clock.now()
    return [use.to_dict(now) for use in uses.values()]


async def _approvals(app: App, query: DecisionQuery) -> Response:
    found = await waiting_decisions(app.store, queue_policy(app.settings))
    return json_answer(text_of(page_dict(query.page(found), query)))


@reads.get("/approvals", operation_id="list_approvals", response_model=Page[s.WaitingOut])
@answered(_approvals)
async def list_approvals(
    app: QueueReader, request: Request, kind: DecisionKind | None = None,
    repository: Annotated[str | None, Query(max_length=300)] = None, q: Search = None,
    sort: Annotated[
        DecisionSort, Query(description="Those that wait longest first; with a minus: last.")
    ] = "waiting",
    limit: Limit = 100, cursor: Cursor = None,
) -> Response:  # fmt: skip
    """List what waits for a person: plans, questions, merges, lines to sign, and jobs that are stuck."""
    query = DecisionQuery(
        kind=kind, repository=repository, search=q or "", sort=sort, limit=limit,
    )  # fmt: skip
    return await shared_answer(request, app, going_on(query, cursor))


@router.get("/settings", operation_id="list_settings", response_model=list[s.SettingOut])
async def list_settings(app: SettingsReader) -> list[dict[str, str]]:
    """Return every setting and where it came from. Secrets are masked."""
    return rows(app.settings, are_secrets_read=True)


@router.get("/service", operation_id="get_service", response_model=s.ServiceOut)
async def get_service(app: QueueReader, request: Request) -> dict[str, Any]:
    """Return what this service is."""
    return {
        "version": __version__,
        "store": app.store.kind,
        "backend": app.account_choices()["default"][0],
        "worker": service_of(request).has_worker,
        "worker_problem": service_of(request).worker_problem,
    }

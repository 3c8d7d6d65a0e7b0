"""Documents and the queue. A document is a text here: the service opens no file by a given name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from jules_job_manager.domain import change_notes as notes
from jules_job_manager.ports.job_store import BacklogQuery, BacklogSort
from jules_job_manager.services.backlog_change import ImportReport
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.caller import BacklogsReader, BacklogsWriter
from jules_job_manager.web.idempotency import IdempotentRoute
from jules_job_manager.web.paging import Cursor, Limit, Search, going_on, page_dict
from jules_job_manager.web.problems import documented
from jules_job_manager.web.schemas import queue as s
from jules_job_manager.web.schemas.base import Page

router = APIRouter(tags=["backlogs"], route_class=IdempotentRoute)


@router.get("/backlogs", operation_id="list_backlogs", response_model=Page[s.BacklogOut])
async def list_backlogs(
    app: BacklogsReader,
    q: Search = None,
    sort: Annotated[
        BacklogSort, Query(description="By name, or by how many jobs; a minus: the reverse.")
    ] = "name",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List the documents whose jobs are in the queue; `q` is looked for in their names."""
    query = BacklogQuery(search=q or "", sort=sort, limit=limit)
    return page_dict(await app.store.jobs.page_backlogs(going_on(query, cursor)), query)


@router.post(
    "/backlogs", operation_id="import_backlog", response_model=s.ImportOut,
    responses=documented(409, 415, 422),
)  # fmt: skip
async def import_backlog(
    app: BacklogsWriter, request: Request, body: s.BacklogIn
) -> dict[str, Any]:
    """Read a document into the queue. Sent again under the same name, it is brought up to date."""
    report = await app.uploaded_backlogs.take_in(**body.model_dump())
    note_change(
        request,
        notes.backlog_imported(
            report.backlog, added=report.added, changed=report.changed, removed=report.removed,
            dry_run=body.dry_run,
        ),
    )  # fmt: skip
    return _told(report)


@router.get(
    "/backlogs/export",
    operation_id="export_backlog",
    responses={
        200: {"content": {"text/markdown": {}}, "description": "Markdown"}, **documented(404)
    },
    response_class=Response,
)  # fmt: skip
async def export_backlog(
    app: BacklogsReader,
    name: Annotated[str, Query(max_length=2000, description="As `list_backlogs` calls it.")] = "",
) -> Response:
    """Return the jobs of a document as Markdown, as they now stand."""
    text = await app.uploaded_backlogs.exported(name)
    return Response(text, media_type="text/markdown; charset=utf-8")


def _told(report: ImportReport) -> dict[str, Any]:
    return {
        "title": report.title,
        "backlog": report.backlog,
        "added": list(report.added),
        "updated": list(report.updated),
        "changed": list(report.changed),
        "removed": list(report.removed),
        "kept": list(report.kept),
        "problems": [{"line": p.line, "message": p.message} for p in report.problems],
        "differences": [{"line": p.line, "message": p.message} for p in report.differences],
        "jobs": [job.to_dict() for job in report.jobs],
    }

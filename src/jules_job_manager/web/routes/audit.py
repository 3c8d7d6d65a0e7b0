"""The audit log over HTTP: read, page by page, and proved."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from jules_job_manager.domain.access import Permission, Principal
from jules_job_manager.domain.audit import AuditEntry, Proof
from jules_job_manager.errors import UnsupportedOperationError
from jules_job_manager.ports.audit_log import AuditQuery
from jules_job_manager.services.audit import AuditService
from jules_job_manager.web.access import gate_of, needs
from jules_job_manager.web.paging import NumberCursor
from jules_job_manager.web.schemas.base import Instant, example_of

router = APIRouter(tags=["audit"])
Reader = Annotated[Principal, Depends(needs(Permission.AUDIT_READ))]
Word = Annotated[str, Query(max_length=500)]


class AuditEntryView(BaseModel):
    """Who did what to what."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "number": 3,
                "at": "2026-11-24T12:00:00.000000Z",
                "actor": "ada",
                "kind": "key",
                "operation": "key.create",
                "resource": "key:ab12cd34",
                "result": "done",
                "request_id": "0d1f3c",
                "address": "192.0.2.7",
                "before": None,
                "after": {"role": "viewer"},
                "previous_hash": "0000000000000000000000000000000000000000000000000000000000000000",
                "hash": "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            }
        }
    )

    number: int = Field(description="Counts from 1 without gaps.")
    at: str
    actor: str
    kind: str = Field(description="key, person or local.")
    operation: str = Field(description="area.verb, for example key.create.")
    resource: str
    result: str = Field(description="done, refused or failed.")
    request_id: str
    address: str
    before: Any
    after: Any
    previous_hash: str = Field(description="SHA-256 of the entry before this one.")
    hash: str = Field(description="SHA-256 of this entry.")


class AuditPage(BaseModel):
    """Entries, newest first unless asked otherwise."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [example_of(AuditEntryView)], "next_cursor": 3}}
    )

    items: list[AuditEntryView]
    next_cursor: int | None = Field(description="To be given as cursor; null on the last page.")


class ProblemView(BaseModel):
    """One thing that is wrong with the log."""

    kind: str = Field(description="changed, missing, order or head.")
    number: int
    text: str


class VerificationView(BaseModel):
    """Whether the log is as it was written."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "ok": True,
                "count": 3,
                "first_number": 1,
                "head": "3:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "is_head_too_old": False,
                "problems": [],
            }
        }
    )

    ok: bool
    count: int
    first_number: int | None = Field(description="Of the oldest entry.")
    head: str = Field(description="NUMBER:HASH of the newest entry; keep it elsewhere.")
    is_head_too_old: bool = Field(
        description="Whether the expected head is of an entry that retention removed."
    )
    problems: list[ProblemView]


@router.get("/audit", operation_id="list_audit_entries", response_model=AuditPage)
async def list_audit_entries(
    request: Request,
    who: Reader,
    since: Instant | None = None,
    until: Instant | None = None,
    actor: Word = "",
    operation: Annotated[str, Query(max_length=500, description="key.create, or all of key.")] = "",
    resource: Word = "",
    result: Literal["", "done", "refused", "failed"] = "",
    request_id: Word = "",
    sort: Annotated[Literal["-number", "number"], Query(description="Newest first, or oldest.")] = (
        "-number"
    ),
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: NumberCursor = None,
) -> AuditPage:
    """Return entries that fit, newest first unless asked otherwise."""
    del who
    query = AuditQuery(
        since=since, until=until, actor=actor, operation=operation, resource=resource, result=result,
        request_id=request_id,
    )  # fmt: skip
    audit = _audit(request)
    if sort == "number":
        found = await audit.page(query, limit=limit, after_number=cursor or 0)
    else:
        found = await audit.newest(query, limit=limit, before_number=cursor)
    has_more = len(found) == limit and (sort == "number" or found[-1].number > 1)
    return AuditPage(
        items=[_view(entry) for entry in found], next_cursor=found[-1].number if has_more else None
    )


@router.get("/audit/verification", operation_id="verify_audit", response_model=VerificationView)
async def verify_audit(
    request: Request,
    who: Reader,
    expect_head: Annotated[str, Query(max_length=100, description="NUMBER:HASH kept before.")] = "",
) -> VerificationView:
    """Read the whole log and say whether anybody changed it."""
    del who
    found = Proof.of(await _audit(request).verify(expected_head=expect_head))
    return VerificationView(**found.to_dict())


def _audit(request: Request) -> AuditService:
    audit = gate_of(request).audit
    if audit is None:
        raise UnsupportedOperationError("No audit log is kept here.")
    return audit


def _view(entry: AuditEntry) -> AuditEntryView:
    return AuditEntryView(**entry.to_dict())

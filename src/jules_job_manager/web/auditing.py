"""Writes every change that comes in over HTTP into the audit log, whichever route it takes.

Routes need do nothing. One that knows what it was before, or what it is now, says so with
`note_change`; one whose service writes its own entries says so with `note_audited`.
"""

from __future__ import annotations

import logging
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jules_job_manager.domain.access import Principal
from jules_job_manager.domain.change_notes import ChangeNote
from jules_job_manager.errors import StoreError
from jules_job_manager.web.access import SAFE_METHODS, gate_of, known_principal
from jules_job_manager.web.route_names import operation_of, resource_of

_LOG = logging.getLogger(__name__)
_STATE = "jjm_audit"
_REFUSED = frozenset({401, 403, 429})


def note_change(connection: HTTPConnection, note: ChangeNote) -> None:
    """Let the entry of this request name its resource, and show it before and after."""
    connection.scope.setdefault("state", {})[_STATE] = note


def note_audited(connection: HTTPConnection) -> None:
    """Say that this request has its own entries already."""
    connection.scope.setdefault("state", {})[_STATE] = None


class AuditRequests:
    """ASGI middleware: one entry for every request that may change something, from who is known."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`, outside of what answers errors."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        status = 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            connection = HTTPConnection(scope)
            who = known_principal(connection)
            detail = scope["state"].get(_STATE, ChangeNote(resource=""))
            if who is not None and detail is not None:
                await _record(connection, who, status, detail)


async def _record(
    connection: HTTPConnection, who: Principal, status: int, detail: ChangeNote
) -> None:
    gate = gate_of(connection)
    if gate.audit is None:
        return
    operation = operation_of(connection)
    after: dict[str, Any] = {"status": status}
    if detail.after is not None:
        after["is"] = detail.after
    is_done = status < 400 and not detail.is_failure
    result = "done" if is_done else "refused" if status in _REFUSED else "failed"
    try:
        await gate.audit.record(
            gate.caller(connection, who), operation, result=result, before=detail.before,
            resource=detail.resource or resource_of(connection), after=after,
        )  # fmt: skip
    except StoreError as exc:  # it is done; the log file has what the audit lacks
        caller = gate.caller(connection, who)
        _LOG.error(
            "not in the audit log: %s of %r by %s from %s, %s (%d): %s",
            operation.removeprefix("api."),
            connection.scope["path"][:500], who.name, caller.address, result, status, exc,
            extra={"action": "audit", "request_id": caller.request_id},
        )  # fmt: skip

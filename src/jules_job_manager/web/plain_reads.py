"""Reads that machines repeat: in their plain form, a path alone, nothing is worked out but who asks.

    reads = APIRouter(route_class=PlainReadRoute)

    async def plainly(app: App, reference: str) -> Response: …

    @reads.get("/tasks/{task_id}")
    @answered(plainly)
    async def get_task(app: TasksReader, reference: Reference, fresh: Fresh = False) -> Response: …

Working out the parameters of a route costs as much as all the rest of such a request. Whatever is
more than a path goes the usual way, as does a path that is too long. A route without a parameter in
its path is a list: what its query means is remembered once the usual way has checked it
(`note_meaning`), so a list that is asked for again and again is worked out once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.access import Permission
from jules_job_manager.web.access import gate_of, permission_of
from jules_job_manager.web.caller import service_of
from jules_job_manager.web.idempotency import Handler

PlainRead = Callable[[App, Any], Awaitable[Response]]
F = TypeVar("F", bound=Callable[..., Any])
MOST_LETTERS = 300
_NAME = "plain_read"
_MEANING = "jjm_meaning"
_MOST_REMEMBERED = 500
_MOST_QUERY_BYTES = 1000


def answered(read: PlainRead) -> Callable[[F], F]:
    """Let `read` answer the plain form of a route: with the parameter in its path, or the meaning."""

    def named(endpoint: F) -> F:
        setattr(endpoint, _NAME, read)
        return endpoint

    return named


def note_meaning(request: Request, meaning: object) -> None:
    """Let the same query have this meaning when it is sent again, whoever sends it."""
    request.scope.setdefault("state", {})[_MEANING] = meaning


class PlainReadRoute(APIRoute):
    """A route of a router for reads; the permission is that of its dependencies."""

    def get_route_handler(self) -> Handler:
        """Return the handler, in front of which the plain form is answered."""
        handler = super().get_route_handler()
        read: PlainRead | None = getattr(self.endpoint, _NAME, None)
        permission = permission_of(self.dependant)
        if read is None or permission is None:
            return handler
        if not self.param_convertors:
            return _remembering(handler, read, permission)
        (parameter,) = self.param_convertors

        async def plain(request: Request) -> Response:
            scope = request.scope
            reference = scope["path_params"][parameter]
            if scope["query_string"] or len(reference) > MOST_LETTERS:
                return await handler(request)
            await gate_of(request).require(request, permission)
            return await read(service_of(request).app, reference)

        return plain


def _remembering(handler: Handler, read: PlainRead, permission: Permission) -> Handler:
    meanings: dict[bytes, object] = {}

    async def plain(request: Request) -> Response:
        query: bytes = request.scope["query_string"]
        meaning = meanings.get(query)
        if meaning is not None:
            await gate_of(request).require(request, permission)
            return await read(service_of(request).app, meaning)
        response = await handler(request)
        meaning = request.scope.get("state", {}).get(_MEANING)
        if meaning is not None and len(query) <= _MOST_QUERY_BYTES:
            if len(meanings) >= _MOST_REMEMBERED:
                meanings.clear()
            meanings[query] = meaning
        return response

    return plain

"""Reads that machines repeat: in their plain form, a path alone, nothing is worked out but who asks.

    reads = APIRouter(route_class=PlainReadRoute)

    async def plainly(app: App, reference: str) -> Response: …

    @reads.get("/tasks/{task_id}")
    @answered(plainly)
    async def get_task(app: TasksReader, reference: Reference, fresh: Fresh = False) -> Response: …

Working out the parameters of a route costs as much as all the rest of such a request. Whatever is
more than a path goes the usual way, as does a path that is too long. A route without a parameter in
its path is a list: what its query means is remembered once the usual way has checked it
(`shared_answer`), so a list that is asked for again and again is worked out once; and those who ask
for the same list at the same time are answered by one read of it (`SharedReads`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.access import Permission
from jules_job_manager.services.shared_reads import SharedReads
from jules_job_manager.web.access import gate_of, permission_of
from jules_job_manager.web.caller import service_of
from jules_job_manager.web.idempotency import Handler

PlainRead = Callable[[App, Any], Awaitable[Response]]
F = TypeVar("F", bound=Callable[..., Any])
MOST_LETTERS = 300
_NAME = "plain_read"
_ANSWERS = "jjm_answers"
_MOST_REMEMBERED = 500
_MOST_QUERY_BYTES = 1000


def answered(read: PlainRead) -> Callable[[F], F]:
    """Let `read` answer the plain form of a route: with the parameter in its path, or the meaning."""

    def named(endpoint: F) -> F:
        setattr(endpoint, _NAME, read)
        return endpoint

    return named


async def shared_answer(request: Request, app: App, meaning: Hashable) -> Response:
    """Answer the plain form of this route for what its query means, and remember that it means it.

    The same query has this meaning when it is sent again, whoever sends it.
    """
    answers: _Answers = request.scope["state"][_ANSWERS]
    answers.remember(request.scope["query_string"], meaning)
    return await answers.answer(app, meaning)


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
    answers = _Answers(read)

    async def plain(request: Request) -> Response:
        meaning = answers.meanings.get(request.scope["query_string"])
        if meaning is None:
            request.scope.setdefault("state", {})[_ANSWERS] = answers
            return await handler(request)
        await gate_of(request).require(request, permission)
        return await answers.answer(service_of(request).app, meaning)

    return plain


class _Answers:
    """What the queries of one route mean, and the reads under way that answer them."""

    def __init__(self, read: PlainRead) -> None:
        self.meanings: dict[bytes, Hashable] = {}
        self._read = read
        self._shared: SharedReads[Response] = SharedReads()

    def remember(self, query: bytes, meaning: Hashable) -> None:
        if len(query) <= _MOST_QUERY_BYTES:
            if len(self.meanings) >= _MOST_REMEMBERED:
                self.meanings.clear()
            self.meanings[query] = meaning

    async def answer(self, app: App, meaning: Hashable) -> Response:
        answer = copy(await self._shared.read(meaning, lambda: self._read(app, meaning)))
        answer.raw_headers = [*answer.raw_headers]
        return answer

"""The REST face: what the service answers.

Source: Jules REST reference v1alpha, sections 2 to 9 (read 2026-11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from jules_job_manager.adapters.backends.simulator import asked, refusal
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.refusal import AnswerCutError, Refusal
from jules_job_manager.adapters.backends.simulator.wire import Writer, source_wire

Answer = dict[str, Any]
Handler = Callable[[Request, Any], Answer]
IN_PROCESS = "jules_job_manager.in_process"


def create_app(simulator: Simulator) -> Starlette:
    """Return the web application: the API under `/v1alpha`, `/stats`, and `/simulator/advance`."""
    face = _Face(simulator)
    api = "/v1alpha"
    session = f"{api}/sessions/{{id}}"
    routes = [
        Route(f"{api}/sources", face.endpoint("sources.list", face.list_sources)),
        Route(f"{api}/sources/{{rest:path}}", face.endpoint("sources.get", face.get_source)),
        Route(f"{api}/sessions", face.endpoint("sessions.create", face.create), methods=["POST"]),
        Route(f"{api}/sessions", face.endpoint("sessions.list", face.list_sessions)),
        Route(f"{session}/activities", face.endpoint("activities.list", face.list_activities)),
        Route(
            f"{session}/activities/{{activity}}",
            face.endpoint("activities.get", face.get_activity),
        ),
        Route(f"{session}:{{verb}}", face.endpoint("", face.act), methods=["POST"]),
        Route(session, face.endpoint("sessions.get", face.get_session)),
        Route(session, face.endpoint("sessions.delete", face.delete), methods=["DELETE"]),
        Route("/stats", face.stats),
        Route("/simulator/advance", face.advance, methods=["POST"]),
    ]
    handlers: Mapping[Any, Any] = {404: _unknown, 405: _unknown, Exception: _unexpected}
    return Starlette(routes=routes, exception_handlers=handlers)


def in_process_transport(simulator: Simulator) -> httpx2.AsyncBaseTransport:
    """Return a transport that reaches the simulator without a network."""
    return _InProcess(create_app(simulator))


class _InProcess(httpx2.AsyncBaseTransport):
    """ASGI, with an answer that is cut as an error of the connection, as over a network."""

    def __init__(self, app: Starlette) -> None:
        async def marked(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, IN_PROCESS: True}, receive, send)

        self._asgi = httpx2.ASGITransport(app=marked)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._asgi.handle_async_request(request)
        except AnswerCutError as exc:
            raise httpx2.RemoteProtocolError("the answer was cut", request=request) from exc


class _CutResponse(Response):
    """Begins an answer and does not end it, so that the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if IN_PROCESS in scope:
            raise AnswerCutError
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"name', "more_body": True})


class _Face:
    """Reads requests, asks the simulator, writes answers."""

    def __init__(self, simulator: Simulator) -> None:
        self._sim = simulator
        self._writer = Writer(simulator.scenario.deviations)

    def endpoint(self, method: str, handler: Handler) -> Any:
        """Wrap a handler: key check, counting, one transaction in a thread, error envelope."""

        async def respond(request: Request) -> Response:
            body = await request.body()
            name = method or f"sessions.{request.path_params.get('verb', '')}"
            try:
                answer = await asyncio.to_thread(self._work, name, handler, request, body)
            except Refusal as exc:
                await asyncio.to_thread(self._sim.count_refusal, exc.code, exc.status)
                return JSONResponse(exc.body(), status_code=exc.code, headers=exc.headers)
            except AnswerCutError:
                return _CutResponse()
            return JSONResponse(answer)

        return respond

    def _work(self, name: str, handler: Handler, request: Request, body: bytes) -> Answer:
        self._sim.count_request(name)
        asked.require_key(request, refused=self._sim.scenario.deviations.keys_refused)
        value = asked.json_body(body)
        with self._sim.step():
            after = self._before(request.method)
            answer: Answer = {}
            if after is None:
                answer = handler(request, value)
                after = answer.pop("__after__", None)
        # A fault that strikes after the work was done must not undo it.
        if after is not None:
            raise after
        return answer

    def _before(self, method: str) -> Exception | None:
        """Return the fault that keeps a read from being answered."""
        if method != "GET":
            return None
        if self._sim.fault("throttle_reads"):
            return self._exhausted()
        return refusal.unavailable() if self._sim.fault("fail_reads") else None

    def _exhausted(self) -> Refusal:
        return refusal.exhausted(self._sim.scenario.faults.retry_after_seconds)

    async def stats(self, request: Request) -> JSONResponse:
        """Answer the counters."""
        del request
        return JSONResponse(await asyncio.to_thread(self._sim.stats))

    async def advance(self, request: Request) -> JSONResponse:
        """Let time pass: `{"seconds": n}`."""
        try:
            seconds = float((await request.json())["seconds"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return JSONResponse(refusal.invalid().body(), status_code=400)
        await asyncio.to_thread(self._sim.advance, max(0.0, seconds))
        return JSONResponse({})

    def create(self, request: Request, body: Any) -> Answer:
        """sessions.create."""
        asked.only_query(request, set())
        wanted = asked.create_request(body)
        if self._sim.fault("refuse_creates"):
            return {"__after__": refusal.precondition()}
        if self._sim.fault("fail_creates"):
            return {"__after__": refusal.unavailable()}
        if self._sim.fault("throttle_creates"):
            return {"__after__": self._exhausted()}
        answer = self._writer.created(self._sim.create(wanted))
        if self._sim.fault("precondition_though_created"):
            return {"__after__": refusal.precondition()}
        return self._lost("create") or answer

    def _lost(self, what: str) -> Answer:
        """Return the fault that loses the answer to what was done, or an empty answer."""
        if self._sim.fault(f"lose_{what}_answers"):
            return {"__after__": refusal.unavailable()}
        if what != "approve" and self._sim.fault(f"cut_{what}_answers"):
            return {"__after__": AnswerCutError()}
        return {}

    def list_sessions(self, request: Request, body: Any) -> Answer:
        """sessions.list."""
        del body
        asked.only_query(request, {"filter", "pageSize", "pageToken"})
        wanted = asked.archived_filter(request.query_params.get("filter", ""))
        found = [s for s in self._sim.sessions() if s["archived"] in wanted]
        return asked.page_of(request, "sessions", found, 30, self._writer.session)

    def get_session(self, request: Request, body: Any) -> Answer:
        """sessions.get."""
        del body
        asked.only_query(request, set())
        return self._writer.session(self._sim.seen(request.path_params["id"]))

    def delete(self, request: Request, body: Any) -> Answer:
        """sessions.delete."""
        del body
        self._sim.delete(request.path_params["id"])
        return {}

    def act(self, request: Request, body: Any) -> Answer:
        """The custom verbs of a session."""
        session_id, verb = request.path_params["id"], request.path_params["verb"]
        if verb == "sendMessage":
            asked.only_members(body, {"prompt"})
            prompt = body.get("prompt")
            if not isinstance(prompt, str) or not prompt:
                raise refusal.invalid()
            self._sim.message(session_id, prompt)
            return self._lost("message")
        asked.only_members(body, set())
        if verb == "approvePlan":
            self._sim.approve(session_id)
            return self._lost("approve")
        if verb in {"archive", "unarchive"}:
            archived = verb == "archive"
            return self._writer.session(self._sim.set_archived(session_id, archived=archived))
        raise refusal.not_found()

    def list_activities(self, request: Request, body: Any) -> Answer:
        """sessions.activities.list."""
        del body
        asked.only_query(request, {"filter", "pageSize", "pageToken"})
        session_id = request.path_params["id"]
        wires = [self._writer.activity(session_id, doc) for doc in self._sim.activities(session_id)]
        if text := request.query_params.get("filter", ""):
            after = asked.time_filter(text)
            wires = [wire for wire in wires if asked.moment_of(wire) > after]
        return asked.page_of(request, "activities", wires, 50)

    def get_activity(self, request: Request, body: Any) -> Answer:
        """sessions.activities.get."""
        del body
        session_id, wanted = request.path_params["id"], request.path_params["activity"]
        for doc in self._sim.activities(session_id):
            if doc["id"] == wanted:
                return self._writer.activity(session_id, doc)
        raise refusal.not_found()

    def list_sources(self, request: Request, body: Any) -> Answer:
        """sources.list."""
        del body
        asked.only_query(request, {"filter", "pageSize", "pageToken"})
        wires = [self._source(repository) for repository in self._sim.repositories]
        if text := request.query_params.get("filter", ""):
            names = asked.name_filter(text)
            wires = [wire for wire in wires if wire["name"] in names]
        return asked.page_of(request, "sources", wires, 30)

    def get_source(self, request: Request, body: Any) -> Answer:
        """sources.get."""
        del body
        repository = self._sim.repository_of(f"sources/{request.path_params['rest']}")
        if repository is None:
            raise refusal.not_found()
        return self._source(repository)

    def _source(self, repository: str) -> Answer:
        name, branches = self._sim.source_name(repository), self._sim.branches(repository)
        return source_wire(name, repository, branches)


async def _unknown(request: Request, exc: Exception) -> JSONResponse:
    """Answer an address or a method that is not there."""
    del request, exc
    return JSONResponse(refusal.not_found().body(), status_code=404)


async def _unexpected(request: Request, exc: Exception) -> JSONResponse:
    """Answer a failure of the simulator itself; the exception goes on to the server's log."""
    del request, exc
    return JSONResponse(refusal.internal().body(), status_code=500)

"""The REST face: what the service answers, member for member.

Source: Jules REST reference v1alpha, sections 2 to 9 (read 2026-11).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from jules_job_manager.adapters.backends.simulator import refusal
from jules_job_manager.adapters.backends.simulator.engine import CreateRequest, Simulator, stamp
from jules_job_manager.adapters.backends.simulator.refusal import Refusal
from jules_job_manager.domain.clockwork import from_rfc3339

WEB = "https://jules.google.com/session/"
_CREATE_MEMBERS = {
    "prompt",
    "title",
    "sourceContext",
    "requirePlanApproval",
    "automationMode",
    "name",
    "id",
}
_TIME_FILTER = re.compile(r'create_time\s*>\s*"([^"]+)"')
_NAME_FILTER = re.compile(r'name\s*=\s*"?([^\s"]+)"?')

Answer = dict[str, Any]


def create_app(simulator: Simulator) -> Starlette:
    """Return the web application: the API under `/v1alpha`, `/stats`, and `/simulator/advance`."""
    face = _Face(simulator)
    api = "/v1alpha"
    routes = [
        Route(f"{api}/sources", face.endpoint("sources.list", face.list_sources)),
        Route(f"{api}/sources/{{rest:path}}", face.endpoint("sources.get", face.get_source)),
        Route(f"{api}/sessions", face.endpoint("sessions.create", face.create), methods=["POST"]),
        Route(f"{api}/sessions", face.endpoint("sessions.list", face.list_sessions)),
        Route(
            f"{api}/sessions/{{id}}/activities",
            face.endpoint("activities.list", face.list_activities),
        ),
        Route(
            f"{api}/sessions/{{id}}/activities/{{activity}}",
            face.endpoint("activities.get", face.get_activity),
        ),
        Route(f"{api}/sessions/{{id}}:{{verb}}", face.endpoint("", face.act), methods=["POST"]),
        Route(f"{api}/sessions/{{id}}", face.endpoint("sessions.get", face.get_session)),
        Route(
            f"{api}/sessions/{{id}}",
            face.endpoint("sessions.delete", face.delete),
            methods=["DELETE"],
        ),
        Route("/stats", face.stats),
        Route("/simulator/advance", face.advance, methods=["POST"]),
    ]
    return Starlette(routes=routes)


class _Face:
    """Reads requests, asks the simulator, writes answers."""

    def __init__(self, simulator: Simulator) -> None:
        self._sim = simulator

    def endpoint(self, method: str, handler: Callable[[Request, Any], Answer]) -> Any:
        """Wrap a handler: key check, counting, one transaction in a thread, error envelope."""

        async def respond(request: Request) -> JSONResponse:
            body = await request.body()
            name = method or f"sessions.{request.path_params.get('verb', '')}"
            try:
                answer = await asyncio.to_thread(self._work, name, handler, request, body)
            except Refusal as exc:
                await asyncio.to_thread(self._sim.count_refusal, exc.code, exc.status)
                return JSONResponse(exc.body(), status_code=exc.code)
            return JSONResponse(answer)

        return respond

    def _work(
        self, name: str, handler: Callable[[Request, Any], Answer], request: Request, body: bytes
    ) -> Answer:
        self._sim.count_request(name)
        _require_key(request)
        value = _json(body)
        after: Refusal | None = None
        with self._sim.step():
            if request.method == "GET" and self._sim.fault("fail_reads"):
                after = refusal.unavailable()
                answer: Answer = {}
            else:
                answer = handler(request, value)
                after = answer.pop("__refusal__", None)
        # A fault that strikes after the work was done must not undo it.
        if after is not None:
            raise after
        return answer

    async def stats(self, request: Request) -> JSONResponse:
        """Answer the counters."""
        del request
        return JSONResponse(await asyncio.to_thread(self._sim.stats))

    async def advance(self, request: Request) -> JSONResponse:
        """Let time pass: `{"seconds": n}`."""
        try:
            seconds = float((await request.json())["seconds"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse(refusal.invalid().body(), status_code=400)
        await asyncio.to_thread(self._sim.advance, max(0.0, seconds))
        return JSONResponse({})

    def create(self, request: Request, body: Any) -> Answer:
        """sessions.create."""
        _only_query(request, set())
        asked = _create_request(body)
        if self._sim.fault("refuse_creates"):
            return {"__refusal__": refusal.precondition()}
        answer = session_wire(self._sim.create(asked))
        if self._sim.fault("lose_create_answers"):
            return {"__refusal__": refusal.unavailable()}
        if self._sim.fault("precondition_though_created"):
            return {"__refusal__": refusal.precondition()}
        return answer

    def list_sessions(self, request: Request, body: Any) -> Answer:
        """sessions.list."""
        del body
        _only_query(request, {"filter", "pageSize", "pageToken"})
        text = request.query_params.get("filter", "").replace(" ", "").lower()
        wanted = {"": {False}, "archived=true": {True}, "archived=false": {False}}.get(text)
        if wanted is None:
            if set(text.split("or")) != {"archived=true", "archived=false"}:
                raise refusal.invalid("Invalid filter.")
            wanted = {True, False}
        found = [s for s in self._sim.sessions() if s["archived"] in wanted]
        return _page(request, "sessions", [session_wire(s) for s in found], 30)

    def get_session(self, request: Request, body: Any) -> Answer:
        """sessions.get."""
        del body
        return session_wire(self._sim.session(request.path_params["id"]))

    def delete(self, request: Request, body: Any) -> Answer:
        """sessions.delete."""
        del body
        self._sim.delete(request.path_params["id"])
        return {}

    def act(self, request: Request, body: Any) -> Answer:
        """The custom verbs of a session."""
        session_id, verb = request.path_params["id"], request.path_params["verb"]
        if verb == "sendMessage":
            _only_members(body, {"prompt"})
            prompt = body.get("prompt") if isinstance(body, Mapping) else None
            if not isinstance(prompt, str) or not prompt:
                raise refusal.invalid()
            self._sim.message(session_id, prompt)
            return {}
        _only_members(body, set())
        if verb == "approvePlan":
            self._sim.approve(session_id)
            return {}
        if verb in {"archive", "unarchive"}:
            return session_wire(self._sim.set_archived(session_id, archived=verb == "archive"))
        raise refusal.not_found()

    def list_activities(self, request: Request, body: Any) -> Answer:
        """sessions.activities.list."""
        del body
        _only_query(request, {"filter", "pageSize", "pageToken"})
        session_id = request.path_params["id"]
        wires = [activity_wire(session_id, doc) for doc in self._sim.activities(session_id)]
        if text := request.query_params.get("filter", ""):
            after = _after(text)
            wires = [wire for wire in wires if from_rfc3339(wire["createTime"]) > after]
        return _page(request, "activities", wires, 50)

    def get_activity(self, request: Request, body: Any) -> Answer:
        """sessions.activities.get."""
        del body
        session_id, wanted = request.path_params["id"], request.path_params["activity"]
        for doc in self._sim.activities(session_id):
            if doc["id"] == wanted:
                return activity_wire(session_id, doc)
        raise refusal.not_found()

    def list_sources(self, request: Request, body: Any) -> Answer:
        """sources.list."""
        del body
        _only_query(request, {"filter", "pageSize", "pageToken"})
        wires = [self._source(repository) for repository in self._sim.repositories]
        if text := request.query_params.get("filter", ""):
            names = set(_NAME_FILTER.findall(text))
            if not names:
                raise refusal.invalid("Invalid filter.")
            wires = [wire for wire in wires if wire["name"] in names]
        return _page(request, "sources", wires, 30)

    def get_source(self, request: Request, body: Any) -> Answer:
        """sources.get."""
        del body
        repository = self._sim.repository_of(f"sources/{request.path_params['rest']}")
        if repository is None:
            raise refusal.not_found()
        return self._source(repository)

    def _source(self, repository: str) -> Answer:
        owner, _, name = repository.partition("/")
        branches = self._sim.branches(repository)
        github: Answer = {"owner": owner, "repo": name}
        if branches:
            default = "main" if "main" in branches else branches[0]
            github["defaultBranch"] = {"displayName": default}
            github["branches"] = [{"displayName": branch} for branch in branches]
        source = self._sim.source_name(repository)
        return {"name": source, "githubRepo": github, "id": source.removeprefix("sources/")}


def session_wire(session: Mapping[str, Any]) -> Answer:
    """Return a Session as the service writes it: defaults left out, `id` last."""
    wire: Answer = {
        "name": f"sessions/{session['id']}",
        "title": session["title"],
        "createTime": stamp(session["created"]),
        "updateTime": stamp(session["updated"]),
        "state": session["state"],
    }
    if session["source"]:
        context: Answer = {
            "source": session["source"],
            "githubRepoContext": {"startingBranch": session["branch"]},
        }
        if session["working_branch"]:
            context["workingBranch"] = session["working_branch"]
        wire["sourceContext"] = context
    wire["prompt"] = session["prompt"]
    wire["url"] = WEB + session["id"]
    optional = {
        "outputs": session["outputs"],
        "requirePlanApproval": session["require_plan_approval"],
        "automationMode": session["automation_mode"],
        "archived": session["archived"],
    }
    wire.update({name: value for name, value in optional.items() if value})
    return {**wire, "id": session["id"]}


def activity_wire(session_id: str, doc: Mapping[str, Any]) -> Answer:
    """Return an Activity as the service writes it."""
    wire: Answer = {
        "name": f"sessions/{session_id}/activities/{doc['id']}",
        "createTime": stamp(doc["at"]),
        "originator": doc["originator"],
        **doc["kind"],
    }
    if doc["artifacts"]:
        wire["artifacts"] = doc["artifacts"]
    return {**wire, "id": doc["id"]}


def _create_request(body: Any) -> CreateRequest:
    _only_members(body, _CREATE_MEMBERS)
    wire = body if isinstance(body, Mapping) else {}
    prompt, mode = wire.get("prompt"), wire.get("automationMode", "")
    if not isinstance(prompt, str) or not prompt.strip():
        raise refusal.invalid()
    if mode not in {"", "AUTOMATION_MODE_UNSPECIFIED", "AUTO_CREATE_PR"}:
        kind = "type.googleapis.com/google.labs.jules.v1alpha.AutomationMode"
        message = f"Invalid value at 'session.automation_mode' ({kind}), \"{mode}\""
        violation = {"field": "session.automation_mode", "description": message}
        details = [
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
        ]
        raise Refusal(400, message, details=details)
    context = wire.get("sourceContext") or {}
    github = context.get("githubRepoContext") or {} if isinstance(context, Mapping) else None
    if not isinstance(github, Mapping):
        raise refusal.invalid()
    branch = github.get("startingBranch", "")
    if context and not branch:
        raise refusal.invalid()
    return CreateRequest(
        prompt=prompt,
        title=str(wire.get("title") or ""),
        source=str(context.get("source") or ""),
        starting_branch=str(branch),
        require_plan_approval=bool(wire.get("requirePlanApproval")),
        automation_mode="AUTO_CREATE_PR" if mode == "AUTO_CREATE_PR" else "",
    )


def _require_key(request: Request) -> None:
    if request.headers.get("x-goog-api-key"):
        return
    message = "Request is missing required authentication credential."
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "CREDENTIALS_MISSING",
        "domain": "googleapis.com",
    }
    raise Refusal(401, message, details=[info])


def _json(body: bytes) -> Any:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        raise refusal.invalid("Invalid JSON payload received.") from None
    if not isinstance(value, dict):
        raise refusal.invalid("Invalid JSON payload received. Expected an object.")
    return value


def _only_members(body: Any, allowed: set[str]) -> None:
    for name in body:
        if name not in allowed:
            raise refusal.invalid(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            )


def _only_query(request: Request, allowed: set[str]) -> None:
    system = {"fields", "key", "alt", "prettyPrint"}
    for name in request.query_params:
        if name not in allowed | system:
            raise refusal.invalid(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            )


def _after(text: str) -> datetime:
    found = _TIME_FILTER.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        return from_rfc3339(found.group(1))
    except ValueError:
        raise refusal.invalid("Invalid filter.") from None


def _page(request: Request, member: str, items: list[Answer], default_size: int) -> Answer:
    try:
        size = int(request.query_params.get("pageSize") or default_size)
        token = request.query_params.get("pageToken", "")
        start = json.loads(base64.b64decode(token, validate=True))["offset"] if token else 0
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise refusal.invalid() from None
    if size < 0 or not isinstance(start, int) or start < 0:
        raise refusal.invalid()
    size = min(size or default_size, 100)
    page = items[start : start + size]
    answer: Answer = {member: page} if page else {}
    if start + size < len(items):
        token = base64.b64encode(json.dumps({"offset": start + size}).encode()).decode()
        answer["nextPageToken"] = token
    return answer

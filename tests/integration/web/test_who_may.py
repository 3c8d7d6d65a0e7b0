"""Every route against every role: what is not stated is refused by a test, so nothing is forgotten."""

from __future__ import annotations

import json
import re

import pytest

from jules_job_manager.bootstrap.access import local_caller
from jules_job_manager.domain.access import PERMISSIONS, Permission, Role
from jules_job_manager.web.access import rules_of

from .conftest import client_of

pytestmark = pytest.mark.integration
_PUBLIC = {
    ("GET", "/"), ("GET", "/api/v1/openapi.json"), ("GET", "/sign-in"), ("POST", "/sign-in"),
    ("GET", "/sign-in/oidc"), ("GET", "/sign-in/oidc/callback"),
    ("GET", "/health"),
}  # fmt: skip
"""Routes for everybody; a new one is added here on purpose."""
_UNCOUNTED = {("GET", "/health/live"), ("GET", "/health/ready")}
"""Routes without a limit. One that does any work is not added here: its work would be free."""


async def test_every_route_states_who_may(web):
    """A route without a rule, or one that became public unnoticed, fails here."""
    rules = rules_of(web)
    assert [] == [route for route, rule in rules.items() if rule is None]
    assert {route for route, rule in rules.items() if rule == "public"} <= _PUBLIC
    assert {route for route, rule in rules.items() if rule == "public, uncounted"} == _UNCOUNTED
    assert len(rules) > 50


async def test_each_role_gets_as_far_as_it_may(web, keys):
    """Without a key 401, with too little 403, and with enough neither."""
    rules = [
        (method, path, Permission(rule))
        for (method, path), rule in rules_of(web).items()
        if rule in set(Permission) and method != "WEBSOCKET"
    ]
    assert len(rules) > 40
    async with client_of(web) as nobody:
        for method, path, _ in rules:
            answer = await nobody.request(method, _filled(path))
            assert 401 == answer.status_code, (method, path)
            assert "JJM110" == answer.json()["code"]
    for role in Role:
        async with client_of(web, keys[role]) as client:
            for method, path, permission in rules:
                if _is_endless(path) and permission in PERMISSIONS[role]:
                    continue
                answer = await client.request(method, _filled(path))
                if permission in PERMISSIONS[role]:
                    assert answer.status_code not in {401, 403}, (role, method, path)
                else:
                    assert 403 == answer.status_code, (role, method, path)


async def test_what_everybody_known_may(web, keys):
    """Routes for whoever is signed in: without a key 401, with any key neither that nor 403."""
    known = [route for route, rule in rules_of(web).items() if rule == "signed in"]
    assert {("GET", "/sign-in/session"), ("POST", "/sign-out")} == set(known)
    for method, path in known:
        for key in ("", "jjm_ab12cd34_" + "x" * 43):
            async with client_of(web, key) as nobody:
                answer = await nobody.request(method, path)
            assert (401, "JJM110") == (answer.status_code, answer.json()["code"]), (method, path)
        for role in Role:
            async with client_of(web, keys[role]) as client:
                answer = await client.request(method, path)
            assert answer.is_success, (role, method, path)


async def test_each_role_gets_as_far_as_it_may_over_a_websocket(web, keys):
    """It is refused before the handshake: 401 without a key, 403 with too little."""
    rules = rules_of(web).items()
    sockets = [(path, Permission(rule)) for (method, path), rule in rules if method == "WEBSOCKET"]
    assert [("/api/v1/events/ws", Permission.EVENTS_READ)] == sockets
    narrow = await web.state.gate.access.create(
        name="narrow", role=Role.ADMIN, scopes=frozenset({Permission.TASKS_READ}),
        caller=local_caller(),
    )  # fmt: skip
    for path, permission in sockets:
        assert (401, "JJM110") == await _handshake(web, path)
        assert (401, "JJM110") == await _handshake(web, path, "jjm_ab12cd34_" + "x" * 43)
        assert (403, "JJM111") == await _handshake(web, path, narrow.text)
        for role in Role:
            may = permission in PERMISSIONS[role]
            expected = (101, "") if may else (403, "JJM111")
            assert expected == await _handshake(web, path, keys[role]), (role, path)


async def test_a_scope_narrows_a_role(web):
    """A key with one scope may do that and nothing else."""
    issued = await web.state.gate.access.create(
        name="narrow", role=Role.ADMIN, scopes=frozenset({Permission.TASKS_READ}),
        caller=local_caller(),
    )  # fmt: skip
    async with client_of(web, issued.text) as client:
        assert 200 == (await client.get("/api/v1/tasks")).status_code
        assert 403 == (await client.get("/api/v1/jobs")).status_code


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "nothing-of-this-name", path)


def _is_endless(path: str) -> bool:
    return path.endswith("/stream")


async def _handshake(app, path: str, key: str = "") -> tuple[int, str]:
    """Open a WebSocket; return the status of the answer, 101 when it is taken, and the problem's code."""
    headers = [(b"host", b"127.0.0.1")]
    headers += [(b"authorization", f"Bearer {key}".encode())] if key else []
    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "ws",
        "headers": headers, "subprotocols": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "root_path": "", "extensions": {"websocket.http.response": {}}, "state": {},
    }  # fmt: skip
    coming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
    sent = []

    async def receive():
        return coming.pop(0)

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["type"] == "websocket.accept":
        return 101, ""
    assert "websocket.http.response.start" == sent[0]["type"]
    return sent[0]["status"], json.loads(sent[1]["body"])["code"]

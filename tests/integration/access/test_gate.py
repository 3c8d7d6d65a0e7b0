"""Who gets through to a route: keys, sessions, roles, and other sites' pages."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.requests import HTTPConnection
from tests.clocks import FakeClock
from tests.web_access import ADMIN, OUTSIDE, world

from jules_job_manager.domain.access import PERMISSIONS, Permission, Principal, Role, digest_of
from jules_job_manager.errors import AccessDeniedError, SignInRequiredError
from jules_job_manager.web.access import needs, public, rules_of, signed_in

TasksReader = Annotated[Principal, Depends(needs(Permission.TASKS_READ))]
EventsReader = Annotated[Principal, Depends(needs(Permission.EVENTS_READ))]


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def there(tmp_path, clock):
    async with world(tmp_path, clock) as found:
        yield found


@pytest.mark.parametrize("form", ["Bearer {}", "bearer  {} "])
async def test_a_key_as_a_bearer(there, form):
    """In whatever case the word is written."""
    key = await there.key()
    async with there.client(Authorization=form.format(key)) as client:
        answer = await client.get("/api/v1/tasks")
    assert (200, {"name": "ci"}) == (answer.status_code, answer.json())


async def test_a_key_in_its_own_header(there):
    """As ticket JJM-042 has it."""
    async with there.client(**{"X-API-Key": await there.key()}) as client:
        assert 200 == (await client.get("/api/v1/tasks")).status_code


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"X-API-Key": "jjm_aaaaaaaa_" + "a" * 43}, {"Authorization": "Basic eDp5"},
     {"Cookie": "__Host-jjm_session=jjm_aaaaaaaa_" + "a" * 43}],
)  # fmt: skip
async def test_nobody_else_gets_through(there, headers):
    """401, with how to sign in, and nothing is done."""
    async with there.client(**headers) as client:
        for answer in (await client.get("/api/v1/tasks"), await client.post("/api/v1/tasks/1")):
            assert 401 == answer.status_code
            assert 'Bearer realm="jjm"' == answer.headers["www-authenticate"]
    assert [] == there.done


async def test_roles(there):
    """A viewer looks and does not change; a scope narrows."""
    viewer = await there.key(Role.VIEWER, "viewer")
    narrow = await there.key(Role.ADMIN, "narrow", scopes=frozenset({Permission.QUEUE_READ}))
    async with there.client() as client:

        async def status(key, method, path):
            return (await client.request(method, path, headers={"X-API-Key": key})).status_code

        assert 200 == await status(viewer, "GET", "/api/v1/tasks")
        assert 403 == await status(viewer, "POST", "/api/v1/tasks/1")
        assert 403 == await status(narrow, "GET", "/api/v1/tasks")
    assert [] == there.done
    assert ("viewer", "api.change_task", "refused") in await there.said()


async def test_every_route_for_every_role(there):
    """Made from the application itself: each route lets in the roles that have what it needs."""
    rules = rules_of(there.app)
    rules = {route: rule for route, rule in rules.items() if route[1].startswith("/api/")}
    keys = {role: await there.key(role, role.value) for role in Role}
    async with there.client() as client:
        for (method, path), rule in rules.items():
            for role, key in keys.items():
                may = rule == "public" or Permission(rule) in PERMISSIONS[role]
                answer = await client.request(method, path, headers={"X-API-Key": key})
                assert may == (answer.status_code != 403), (method, path, role)
    assert len(rules) > 8


async def deeper(who: TasksReader):
    """Be a dependency that has the rule in its own."""
    return who


async def _sign_in(there, client) -> str:
    answer = await client.post("/sign-in", data={"token": await there.link()})
    assert 303 == answer.status_code
    return (await client.get("/sign-in/session")).json()["csrf_token"]


async def test_a_session_reads_and_with_its_token_changes(there):
    """A change without the page's token is another site's, and is not done."""
    async with there.client() as client:
        token = await _sign_in(there, client)
        assert {"name": "Ada"} == (await client.get("/api/v1/tasks")).json()
        for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": token + "x"}):
            answer = await client.post("/api/v1/tasks/1", headers=wrong)
            assert 403 == answer.status_code
        assert [] == there.done
        assert [("Ada", "api.change_task", "refused")] * 3 == (await there.said())[-3:]
        entry = (await there.store.audit.read())[-1]
        assert ("task:1", "10.0.0.1") == (entry.resource, entry.address)
        assert {"status": 403, "reason": "csrf"} == entry.after
        good = await client.post("/api/v1/tasks/1", headers={"X-CSRF-Token": token})
        assert (201, "Ada") == (good.status_code, good.json()["name"])


async def test_who_is_signed_in_is_listed(there, clock):
    """By name, role and times; a session that is over, and what a browser keeps, are not in it."""
    admin = await there.key(Role.ADMIN, "root")
    async with there.client() as client:
        await _sign_in(there, client)
        kept = client.cookies["__Host-jjm_session"]
    async with there.client(Authorization=f"Bearer {admin}") as client:
        answer = await client.get("/api/v1/sessions")
        (session,) = answer.json()["items"]
        assert ("Ada", "link") == (session["name"], session["origin"])
        assert session["created_at"] == session["last_used_at"] < session["expires_at"]
        assert digest_of(kept.split("_", 2)[2])[:8] == session["id"]
        assert kept.split("_", 2)[2] not in answer.text
        assert digest_of(kept.split("_", 2)[2]) not in answer.text
        clock.advance(8 * 86400)
        assert [] == (await client.get("/api/v1/sessions")).json()["items"]
    async with there.client(Authorization=f"Bearer {await there.key()}") as client:
        assert 403 == (await client.get("/api/v1/sessions")).status_code


async def test_a_key_counts_before_a_cookie(there):
    """What is said on purpose counts before what browsers send by themselves."""
    async with there.client() as client:
        await _sign_in(there, client)
        answer = await client.get("/api/v1/tasks", headers={"X-API-Key": await there.key()})
        assert {"name": "ci"} == answer.json()
        assert 401 == (await client.get("/api/v1/tasks", headers={"X-API-Key": "x"})).status_code


async def test_the_audit_log_has_every_change(there):
    """Also those that failed, with who, from where, and in which request."""
    key = await there.key()
    async with there.client(**{"X-API-Key": key}) as client:
        await client.get("/api/v1/tasks")
        await client.post("/api/v1/tasks/7", json={})
        await client.post("/api/v1/tasks/7", json="bad")
    entries = (await there.store.audit.read())[1:]
    assert [
        ("ci", "key", "api.change_task", "task:7", "done", "10.0.0.1", {"status": 201}),
        ("ci", "key", "api.change_task", "task:7", "failed", "10.0.0.1", {"status": 400}),
    ] == [(e.actor, e.kind, e.operation, e.resource, e.result, e.address, e.after) for e in entries]


async def test_refused_keys_are_in_the_audit_log(there):
    """And who sends nothing at all is not."""
    async with there.client() as client:
        await client.get("/api/v1/tasks")
        await client.get("/api/v1/tasks", headers={"X-API-Key": "x"})
    assert [("anonymous", "sign_in.begin", "refused")] == await there.said()


async def test_addresses_behind_a_proxy(tmp_path, clock):
    """A trusted proxy is believed; anybody else may write what they like."""
    forwarded = {"X-Forwarded-For": "1.2.3.4, 9.9.9.9, 10.1.0.2"}
    async with world(tmp_path, clock, JJM_ACCESS__TRUSTED_PROXIES="10.0.0.0/8") as there:
        for address in ("10.0.0.1", "192.0.2.1"):
            async with there.client(address=address, **{"X-API-Key": "x", **forwarded}) as client:
                await client.get("/api/v1/tasks")
        assert ["9.9.9.9", "192.0.2.1"] == [
            entry.address for entry in await there.store.audit.read()
        ]


def test_a_route_without_a_rule_is_found():
    """Whichever way it got into the application, and however deep its rule stands."""
    app, router = FastAPI(), APIRouter()

    @router.get("/deep")
    async def deep(who: Annotated[Principal, Depends(deeper)]):
        return who

    @router.get("/bare")
    async def bare():
        return {}

    @router.get("/known", dependencies=[Depends(signed_in)])
    async def known():
        return {}

    @router.websocket("/live")
    async def live(socket: WebSocket, who: EventsReader):
        del socket, who

    app.include_router(router, prefix="/a")
    app.include_router(router, prefix="/b", dependencies=[Depends(public)])
    app.mount("/files", FastAPI())
    rules = rules_of(app)
    assert {
        ("GET", "/a/deep"): "tasks:read", ("GET", "/a/bare"): None, ("GET", "/a/known"): "signed in",
        ("WEBSOCKET", "/a/live"): "events:read", ("GET", "/b/bare"): "public", ("MOUNT", "/files"): None,
    }.items() <= rules.items()  # fmt: skip
    assert None is rules["GET", "/openapi.json"]


async def _socket_answer(app, **headers: str) -> str:
    """Open a WebSocket and return the type of the first message of the application."""
    sent: list[str] = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message["type"])

    scope = {
        "type": "websocket", "path": "/live", "raw_path": b"/live", "query_string": b"", "scheme": "wss",
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()], "subprotocols": [],
        "client": ("10.0.0.1", 1), "server": ("jjm.example.org", 443), "root_path": "", "extensions": {},
    }  # fmt: skip
    try:
        await app(scope, receive, send)
    except Exception as exc:  # noqa: BLE001 - what no handler took
        return type(exc).__name__
    return sent[0]


async def test_another_sites_page_cannot_listen(there):
    """Browsers let every site open a WebSocket with the cookie; its origin tells."""

    @there.app.websocket("/live")
    async def live(socket: WebSocket, who: EventsReader):
        del who
        await socket.accept()

    async with there.client() as client:
        await _sign_in(there, client)
        cookie = f"__Host-jjm_session={client.cookies['__Host-jjm_session']}"
    own = {"Cookie": cookie, "Host": "jjm.example.org"}
    assert "websocket.accept" == await _socket_answer(there.app, **own, Origin=OUTSIDE)
    for origin in ("https://evil.example.org", "null", ""):
        assert "websocket.accept" != await _socket_answer(there.app, **own, Origin=origin)
    assert [("Ada", "api.live", "refused")] * 3 == (await there.said())[-3:]
    key = await there.key()
    assert "websocket.accept" == await _socket_answer(there.app, Authorization=f"Bearer {key}")


async def test_a_long_request_is_looked_at_again(there, clock):
    """A stream whose key was revoked hears of it."""
    key = await there.key()
    headers = [(b"authorization", f"Bearer {key}".encode())]
    connection = HTTPConnection({"type": "http", "method": "GET", "path": "/", "headers": headers})
    await there.gate.recheck(connection, Permission.EVENTS_READ)
    with pytest.raises(AccessDeniedError):
        await there.gate.recheck(connection, Permission.AUDIT_READ)
    await there.gate.access.revoke("ci", caller=ADMIN)
    with pytest.raises(SignInRequiredError):
        await there.gate.recheck(connection, Permission.EVENTS_READ)

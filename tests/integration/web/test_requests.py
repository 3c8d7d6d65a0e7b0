"""What every request gets: an id, headers, limits, and problems in one form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jules_job_manager.bootstrap.access import local_caller
from jules_job_manager.domain.access import Role
from jules_job_manager.web.app import create_app
from jules_job_manager.web.requests import HEADERS

from .conftest import client_of

pytestmark = pytest.mark.integration


async def test_problems_have_one_form(client, web):
    """Wrong paths, methods, bodies and values are told alike, with the request's id."""
    for method, path, body, status in (
        ("GET", "/nothing", None, 404),
        ("PATCH", "/api/v1/tasks", None, 405),
        ("POST", "/api/v1/tasks", b"{", 400),
        ("POST", "/api/v1/tasks", b'{"description": 5}', 400),
        ("GET", "/api/v1/tasks?limit=0", None, 400),
        ("GET", "/api/v1/jobs/nothing", None, 404),
        ("POST", "/api/v1/tasks", b"[" * 100_000, 400),
    ):
        answer = await client.request(
            method, path, content=body, headers={"Content-Type": "application/json"}
        )
        problem = answer.json()
        assert (status, status) == (answer.status_code, problem["status"]), path
        assert "application/problem+json" == answer.headers["content-type"]
        assert answer.headers["x-request-id"] == problem["request_id"]
        assert problem["type"] == f"urn:jjm:problem:{problem['code']}"


async def test_a_bug_is_told_without_its_inside(client, web, monkeypatch):
    """What was not foreseen is 500 with an id that the log has too, and no word of what it was."""

    async def broken(*_, **__):
        raise RuntimeError("secret inside")

    monkeypatch.setattr(web.state.service.app.reader, "list_tasks", broken)
    answer = await client.get("/api/v1/tasks")
    assert (500, "JJM000") == (answer.status_code, answer.json()["code"])
    assert "secret" not in answer.text


async def test_the_id_of_a_request_is_given_or_made(client):
    """A client's id is kept when it is a plain word, and never becomes a second header or line."""
    answer = await client.get("/api/v1/service", headers={"X-Request-ID": "abc-12345"})
    assert "abc-12345" == answer.headers["x-request-id"]
    answer = await client.get("/api/v1/service", headers={"X-Request-ID": "a b; c"})
    assert "a b; c" != answer.headers["x-request-id"]


async def test_headers_that_keep_browsers_from_mischief(client):
    """They are on every answer."""
    answer = await client.get("/api/v1/service")
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "no-store" == answer.headers["cache-control"]
    assert "access-control-allow-origin" not in answer.headers


async def test_a_body_that_is_too_large_is_refused(environ, web, client):
    """Told by its length, or only found out while it comes in pieces: 413, and nothing is done."""
    large = b'{"description": "' + b"x" * 9_000_000 + b'"}'

    async def pieces():
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    for body in (large, pieces()):
        answer = await client.post("/api/v1/tasks", content=body)
        assert (413, "JJM014") == (answer.status_code, answer.json()["code"])
    assert [] == (await client.get("/api/v1/tasks")).json()["items"]


async def test_other_origins_only_when_they_are_named(service):
    """A page of a named origin may call, any other may not."""
    settings = service.app.settings
    server = replace(settings.server, cors_origins=("https://ui.example",))
    service.app.settings = replace(settings, server=server)
    async with client_of(create_app(service)) as client:
        asked = {"Access-Control-Request-Method": "GET"}
        good = await client.options(
            "/api/v1/tasks", headers={**asked, "Origin": "https://ui.example"}
        )
        bad = await client.options(
            "/api/v1/tasks", headers={**asked, "Origin": "https://evil.example"}
        )
    assert "https://ui.example" == good.headers["access-control-allow-origin"]
    assert "access-control-allow-origin" not in bad.headers


async def test_a_page_elsewhere_reads_every_header_that_is_meant_for_it(service):
    """Whatever answers carry is named to the browser, or is for the browser alone."""
    settings = service.app.settings
    service.app.settings = replace(
        settings, server=replace(settings.server, cors_origins=("https://ui.example",)),
        rate_limits=replace(settings.rate_limits, enabled=True, per_minute=5, exempt_admins=False),
    )  # fmt: skip
    web = create_app(service)
    issued = await web.state.gate.access.create("page", Role.ADMIN, caller=local_caller())
    job = {"key": "A", "prompt": "x"}
    async with client_of(web) as client:
        client.headers["Origin"] = "https://ui.example"
        answers = [await client.get("/api/v1/jobs")]
        client.headers["X-API-Key"] = issued.text
        for _ in range(2):
            answers.append(
                await client.post("/api/v1/jobs", json=job, headers={"Idempotency-Key": "one"})
            )
        answers += [await client.get(f"/api/v1/jobs{path}") for path in ("/A", "", "", "")]
    assert [401, 201, 201, 200, 200, 200, 429] == [answer.status_code for answer in answers]
    sent = {name.lower() for answer in answers for name in answer.headers}
    assert {
        "etag", "location", "retry-after", "idempotency-replayed", "ratelimit", "ratelimit-policy",
        "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "www-authenticate",
        "x-request-id",
    } <= sent  # fmt: skip
    shown = {"cache-control", "content-length", "content-type"}
    for_the_browser = {name.decode() for name, _ in HEADERS} | {"vary"}
    for answer in answers:
        named = answer.headers["access-control-expose-headers"].lower().split(", ")
        rest = sent - set(named) - shown - for_the_browser
        assert {"access-control-allow-origin", "access-control-expose-headers"} == rest


async def test_the_start_page_leads_on(client, web):
    """Without a session it leads to signing in; with one, or a key, to what there is."""
    async with client_of(web) as nobody:
        page = await nobody.get("/")
    assert 'href="/sign-in"' in page.text
    assert "script" not in page.text
    page = await client.get("/")
    assert "Signed in as <strong>the-admin</strong>" in page.text


async def test_a_stream_without_room(client, service):
    """It is told as what it is: the database is there."""
    service.events.live.stop()
    answer = await client.get("/api/v1/events/stream")
    problem = answer.json()
    assert (503, "JJM114") == (answer.status_code, problem["code"])
    assert "There is no room for another live stream" == problem["title"]
    assert "5" == answer.headers["retry-after"]

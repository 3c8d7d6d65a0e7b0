"""Times at the ends of the calendar, in every parameter and body that takes one."""

from __future__ import annotations

import logging

import pytest

pytestmark = pytest.mark.integration
OUTSIDE = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00")
ENDS = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
BODIES = (
    ("PATCH", "/api/v1/jobs/nothing", {}, "not_before"),
    ("POST", "/api/v1/keys", {"name": "ci", "role": "viewer"}, "expires_at"),
    ("POST", "/api/v1/keys/nothing/rotate", {}, "expires_at"),
    ("POST", "/api/v1/webhooks/replay", {"endpoint": "we_1"}, "since"),
)


def _moments(web):
    """Return every list with a parameter that is a time, and the name of that."""
    for path, methods in web.openapi()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", ()):
            schemas = [parameter["schema"], *parameter["schema"].get("anyOf", ())]
            if any(schema.get("format") == "date-time" for schema in schemas):
                yield path.replace("{", "").replace("}", ""), parameter["name"]


async def test_parameters(client, web):
    """One that no UTC has is refused in a sentence; the ends themselves are times."""
    found = list(_moments(web))
    assert {"/api/v1/tasks", "/api/v1/audit", "/api/v1/events/stream"} <= {
        path for path, _ in found
    }
    for path, name in found:
        for text in OUTSIDE:
            answer = await client.get(path, params={name: text})
            assert (400, "JJM010") == (answer.status_code, answer.json()["code"]), (path, name)
        if not path.endswith("/stream"):  # which would not end
            for text in ENDS:
                assert (await client.get(path, params={name: text})).status_code in {200, 404}


async def test_bodies(client):
    """They are told alike, before anything is looked for; so is a time without a zone."""
    for method, path, body, name in BODIES:
        for text in (*OUTSIDE, "2026-11-01T09:00:00"):
            answer = await client.request(method, path, json={**body, name: text})
            assert 400 == answer.status_code, (path, text)
            assert [f"body.{name}"] == [error["at"] for error in answer.json()["errors"]]


async def test_a_crash_is_500_in_the_log(client, web, monkeypatch, caplog):
    """The line of the request says what its client is answered."""

    async def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(web.state.service.app.reader, "list_tasks", broken)
    with caplog.at_level(logging.INFO, "jules_job_manager.web.requests"):
        await client.get("/api/v1/tasks")
    assert "GET /api/v1/tasks 500" in caplog.messages

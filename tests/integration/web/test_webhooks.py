"""Webhooks over HTTP: made, changed, tried, sent again, and never with their secret but once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from jules_job_manager.domain.access import Role
from jules_job_manager.domain.event import EventType, NewEvent

from .conftest import client_of

pytestmark = pytest.mark.integration
URL = "https://example.org/hook"


@pytest.fixture
def environ(environ):
    """Nothing is sent while a test looks."""
    return {**environ, "JJM_WEBHOOKS__ENABLED": "false"}


async def _made(client, **more) -> dict:
    answer = await client.post("/api/v1/webhooks", json={"url": URL, **more})
    assert 201 == answer.status_code, answer.text
    assert f"/api/v1/webhooks/{answer.json()['id']}" == answer.headers["Location"]
    return answer.json()


async def test_the_life_of_an_endpoint(client, service):
    """The secret is in the answers that make one, and nowhere else; the audit has each change."""
    made = await _made(client, types=["merged"], description="chat")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    path = f"/api/v1/webhooks/{made['id']}"
    got = await client.get(path)
    assert made == got.json()
    assert [made] == (await client.get("/api/v1/webhooks")).json()
    tag = {"If-Match": got.headers["ETag"]}
    changed = await client.patch(path, json={"enabled": False, "types": []}, headers=tag)
    assert (False, [], "chat") == tuple(
        changed.json()[name] for name in ("enabled", "types", "description")
    )
    assert "the-admin" in changed.json()["disabled_reason"]
    late = await client.patch(path, json={"description": "x"}, headers=tag)
    assert (412, "JJM066") == (late.status_code, late.json()["code"])
    rotated = (await client.post(f"{path}/rotate-secret")).json()
    assert rotated["secret"] != secret
    assert 204 == (await client.delete(path)).status_code
    gone = await client.get(path)
    assert (404, "JJM013") == (gone.status_code, gone.json()["code"])
    audit = (await client.get("/api/v1/audit", params={"resource": f"webhook:{made['id']}"})).json()
    assert [
        "api.delete_webhook", "api.rotate_webhook_secret", "api.update_webhook",
        "api.update_webhook", "api.create_webhook",
    ] == [one["operation"] for one in audit["items"]]  # fmt: skip
    kept = json.dumps(audit)
    assert secret not in kept
    assert rotated["secret"] not in kept
    events = await service.app.store.events.read(subject=f"webhook:{made['id']}")
    assert {"the-admin"} == {event.actor for event in events}


async def test_deliveries_page_by_page_and_again(client, service):
    """Newest first, filtered, from a cursor on; a replay keeps the number of each message."""
    now = service.app.clock.now()
    await service.app.store.events.append(
        [NewEvent(type=EventType.MERGED, subject=f"job:{n}", at=now) for n in range(3)]
    )
    made = await _made(client)
    body = {"endpoint": made["id"], "since": "2020-01-01T00:00:00Z"}
    for dry_run in (True, False):
        again = await client.post("/api/v1/webhooks/replay", json={**body, "dry_run": dry_run})
        assert {"count": 3} == again.json()
    page = (
        await client.get("/api/v1/webhooks/deliveries", params={"endpoint": made["id"], "limit": 1})
    ).json()
    numbers = []
    while True:
        numbers += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        params = {"endpoint": made["id"], "limit": 1, "cursor": page["next_cursor"]}
        page = (await client.get("/api/v1/webhooks/deliveries", params=params)).json()
    assert numbers == sorted(numbers, reverse=True)
    assert 3 == len(set(numbers))
    one = await client.post("/api/v1/webhooks/replay", json={"delivery": numbers[0]})
    assert {"count": 1} == one.json()
    for params, expected in (({"state": "failed"}, 200), ({"endpoint": "we_1"}, 404)):
        answer = await client.get("/api/v1/webhooks/deliveries", params=params)
        assert expected == answer.status_code


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/webhooks", {"url": "ftp://x"}, 400),
        ("/webhooks", {"url": URL, "types": [""]}, 400),
        ("/webhooks", {"url": URL, "subjects": ["x"] * 51}, 400),
        ("/webhooks", {"url": URL, "secret": "mine"}, 400),
        ("/webhooks/replay", {}, 400),
        ("/webhooks/replay", {"delivery": 1, "endpoint": "x"}, 400),
        ("/webhooks/replay", {"delivery": 1}, 404),
        ("/webhooks/replay", {"endpoint": "we_1", "since": "2026-11-01T00:00:00Z"}, 404),
        ("/webhooks/replay", {"endpoint": "we_1", "since": "2026-11-01T00:00:00"}, 400),
        ("/webhooks/we_1/test", None, 404),
        ("/webhooks/we_1/rotate-secret", None, 404),
    ],
)
async def test_what_cannot_be_done(client, path, body, status):
    """One problem each; nothing is made."""
    answer = await client.post(f"/api/v1{path}", json=body)
    assert status == answer.status_code, answer.text
    assert [] == (await client.get("/api/v1/webhooks")).json()


async def test_a_test_message_goes_to_no_address_inside_the_network(client, service):
    """It says how it was answered, or why it was not sent; such an endpoint is made no more."""
    inside = {"url": "http://127.0.0.1:9/x"}
    refused = await client.post("/api/v1/webhooks", json=inside)
    assert 400 == refused.status_code
    assert "inside the network" in refused.json()["detail"]
    made = await _made(client)
    kept = service.app.store.webhooks
    before = await kept.get_endpoint(made["id"])
    await kept.save_endpoint(replace(before, **inside), [])
    found = (await client.post(f"/api/v1/webhooks/{made['id']}/test")).json()
    assert found["status"] is None
    assert "inside the network" in found["error"]


async def test_only_admins_manage_them(web, keys):
    """An operator's key gets 403."""
    async with client_of(web, keys[Role.OPERATOR]) as client:
        assert 403 == (await client.get("/api/v1/webhooks")).status_code

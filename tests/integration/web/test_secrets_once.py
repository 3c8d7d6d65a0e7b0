"""Requests whose answer holds a secret: done once under a key, and the secret is kept nowhere."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
import sqlalchemy as sa

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.client.connection import Connection
from jules_job_manager.client.operations import Operations
from jules_job_manager.domain.access import Role
from jules_job_manager.errors import AlreadyIssuedError

from .conftest import client_of

pytestmark = pytest.mark.integration
URL = "https://example.org/hook"


@pytest.fixture
def environ(environ):
    """Nothing is sent while a test looks."""
    return {**environ, "JJM_WEBHOOKS__ENABLED": "false"}


async def sent(client, path, body=None, key="k"):
    headers = {"Idempotency-Key": key}
    return await client.post(f"/api/v1{path}", json=body, headers=headers)


async def kept(service) -> str:
    """Return all that is kept of requests, as one text."""
    async with service.app.store.engine.connect() as connection:
        rows = (await connection.execute(sa.select(schema.idempotent_requests))).all()
    assert rows
    return str(rows)


async def issued_twice(client, service, path, body, secret) -> tuple[dict, httpx2.Response]:
    """Send a request twice; return the first answer and the second, which must have no secret."""
    first = await sent(client, path, body)
    assert first.is_success, first.text
    again = await sent(client, path, body)
    assert (409, "JJM123") == (again.status_code, again.json()["code"])
    assert "application/problem+json" == again.headers["content-type"]
    assert "true" == again.headers["Idempotency-Replayed"]
    assert secret(first.json()) not in again.text
    assert secret(first.json()) not in await kept(service)
    other = await sent(client, path, {**(body or {}), "description": "another"})
    assert (422, "JJM122") == (other.status_code, other.json()["code"])
    return first.json(), again


async def test_a_webhook_is_made_once(client, service):
    """The second answer says where it is, and how to get to a secret."""
    made, again = await issued_twice(
        client, service, "/webhooks", {"url": URL}, lambda found: found["secret"]
    )
    problem = again.json()
    assert f"/api/v1/webhooks/{made['id']}" == again.headers["Location"]
    assert made["id"] == problem["made"]
    assert f"It belongs to {made['id']}." in problem["detail"]
    assert f"jjm webhook update {made['id']} --rotate-secret" in problem["hint"]
    assert [made["id"]] == [one["id"] for one in (await client.get("/api/v1/webhooks")).json()]
    second = await sent(client, "/webhooks", {"url": URL}, key="another")
    assert 201 == second.status_code


async def test_a_secret_is_replaced_once(client, service):
    """A second time it would take the place of one that the receiver may have by now."""
    made = (await client.post("/api/v1/webhooks", json={"url": URL})).json()
    path = f"/webhooks/{made['id']}/rotate-secret"
    rotated, again = await issued_twice(client, service, path, None, lambda one: one["secret"])
    assert made["id"] == again.json()["made"]
    endpoint = await service.app.store.webhooks.get_endpoint(made["id"])
    assert (rotated["secret"], made["secret"]) == (endpoint.secret, endpoint.old_secret)


async def test_a_key_is_made_and_replaced_once(client, service):
    """The id of the key is in the answer, since no address has it."""
    body = {"name": "ci", "role": "viewer"}
    made, again = await issued_twice(client, service, "/keys", body, lambda one: one["key"])
    assert made["id"] == again.json()["made"]
    assert f"jjm key rotate {made['id']}" in again.json()["hint"]
    rotated = await sent(client, f"/keys/{made['id']}/rotate", {}, key="r")
    again = await sent(client, f"/keys/{made['id']}/rotate", {}, key="r")
    assert (409, rotated.json()["id"]) == (again.status_code, again.json()["made"])
    assert rotated.json()["key"] not in await kept(service)
    found = (await client.get("/api/v1/keys")).json()["items"]
    assert 2 == len([one for one in found if one["name"] == "ci"])


async def test_a_link_is_made_once(client, service):
    """It has no id: make another one."""
    body = {"name": "Ada", "role": "viewer"}
    _, again = await issued_twice(
        client, service, "/sign-in-links", body, lambda one: one["url"].partition("token=")[2]
    )
    assert "made" not in again.json()
    assert "another link" in again.json()["hint"]


async def test_what_did_not_work_may_be_tried_again(client):
    """The key is free when nothing was made."""
    assert 400 == (await sent(client, "/webhooks", {"url": "ftp://x"})).status_code
    assert 201 == (await sent(client, "/webhooks", {"url": URL})).status_code


async def test_while_it_is_being_made(client, service, monkeypatch):
    """The second hears that, and makes nothing."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    store = service.app.store.webhooks
    save = store.save_endpoint

    async def slow(*args):
        begun.set()
        await go_on.wait()
        await save(*args)

    monkeypatch.setattr(store, "save_endpoint", slow)
    first = asyncio.create_task(sent(client, "/webhooks", {"url": URL}))
    await begun.wait()
    second = await sent(client, "/webhooks", {"url": URL})
    assert (409, "JJM121") == (second.status_code, second.json()["code"])
    go_on.set()
    assert 201 == (await first).status_code
    assert 1 == len((await client.get("/api/v1/webhooks")).json())


async def test_a_try_of_which_nobody_knows_how_it_ended(client, service, web):
    """It may have made one, so no second is made."""
    store = service.app.store.idempotency
    held = web.state.idempotency._store = _Killed(store)
    await sent(client, "/webhooks", {"url": URL})
    web.state.idempotency._store = store
    assert held.answers == 1
    again = await sent(client, "/webhooks", {"url": URL})
    assert (502, "JJM063") == (again.status_code, again.json()["code"])
    assert 1 == len((await client.get("/api/v1/webhooks")).json())


class _Killed:
    """Keeps claims, and no answers: as if the server had been killed before."""

    def __init__(self, store) -> None:
        self._store = store
        self.answers = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def answer(self, owner, key, *, token, answer):
        del answer
        self.answers += 1
        await self._store.renew(owner, key, token=token, lease_seconds=0)
        return True


class LosesAnswers(httpx2.AsyncBaseTransport):
    """A network that brings the request and loses the first answer."""

    def __init__(self, web) -> None:
        self._there = httpx2.ASGITransport(web, raise_app_exceptions=False)
        self.asked = 0

    async def handle_async_request(self, request):
        self.asked += 1
        answer = await self._there.handle_async_request(request)
        if self.asked == 1:
            await answer.aclose()
            raise httpx2.ReadError("the connection was lost", request=request)
        return answer


async def test_our_client_asks_again_and_says_what_it_heard(web, keys):
    """A command whose answer was lost makes one webhook, and names it."""
    network = LosesAnswers(web)
    connection = Connection(
        "http://127.0.0.1", api_key=keys[Role.ADMIN], timeout_seconds=10, transport=network
    )
    with pytest.raises(AlreadyIssuedError, match="It belongs to we_") as refused:
        await Operations(connection).create_webhook(body={"url": URL})
    await connection.aclose()
    assert 2 == network.asked
    async with client_of(web, keys[Role.ADMIN]) as client:
        (made,) = (await client.get("/api/v1/webhooks")).json()
    assert made["id"] == refused.value.made
    assert "--rotate-secret" in refused.value.hint

"""A POST with an Idempotency-Key is done once."""

from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from fastapi import Depends, Request
from starlette.responses import StreamingResponse
from tests.clocks import FakeClock
from tests.web_access import world

from jules_job_manager.domain.access import Permission, Principal, Role
from jules_job_manager.errors import InvalidInputError, StoreUnavailableError
from jules_job_manager.web.access import needs
from jules_job_manager.web.idempotency import IdempotentRoute, done_once, is_again, key_from

TasksWriter = Annotated[Principal, Depends(needs(Permission.TASKS_WRITE))]


@pytest.fixture
async def there(tmp_path):
    async with world(tmp_path, FakeClock()) as found:
        yield found


@pytest.fixture
async def client(there):
    async with there.client(**{"X-API-Key": await there.key()}) as found:
        yield found


async def sent(client, body=None, key="k", path="/api/v1/tasks/1", **more):
    headers = {"Idempotency-Key": key, **more}
    return await client.post(path, json=body or {}, headers=headers)


async def test_the_same_answer_comes_again(there, client):
    """Status, body and type as the first time, said to be so; the work is done once."""
    first, again = await sent(client), await sent(client)
    assert 201 == first.status_code == again.status_code
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert (None, "true") == tuple(a.headers.get("idempotency-replayed") for a in (first, again))
    assert ["1"] == there.done
    await sent(client, key='"k"')  # as the draft writes it
    assert ["1"] == there.done
    assert {"x-ratelimit-remaining"} <= set(again.headers)


async def test_another_request_with_the_key_is_refused(there, client):
    """Another body, another path, another query."""
    await sent(client)
    for other in (
        await sent(client, {"a": 1}), await sent(client, path="/api/v1/tasks/2"),
        await sent(client, path="/api/v1/tasks/1?x=1"),
    ):  # fmt: skip
        assert (422, "JJM122") == (other.status_code, other.json()["code"])
    assert ["1"] == there.done


async def test_another_sender_has_keys_of_their_own(there, client):
    """Nobody gets the answer of somebody else."""
    await sent(client)
    other = await sent(client, **{"X-API-Key": await there.key(name="other")})
    assert "other" == other.json()["name"]
    assert ["1", "1"] == there.done


async def test_who_may_no_longer_gets_no_kept_answer(there, client):
    """Neither without a key, nor with a lower role."""
    await sent(client)
    assert 401 == (await sent(client, **{"X-API-Key": "x"})).status_code
    viewer = await there.key(Role.VIEWER, "viewer")
    assert 403 == (await sent(client, **{"X-API-Key": viewer})).status_code
    assert 403 == (await sent(client, **{"X-API-Key": viewer})).status_code
    assert ["1"] == there.done


async def test_what_failed_may_be_tried_again(there, client):
    """It was not done, so the key is free."""
    assert 400 == (await sent(client, "bad")).status_code
    assert 201 == (await sent(client, {"good": 1})).status_code


async def test_while_it_is_being_done(there, client):
    """The second hears that, and later has the answer; a killed first one would leave it to others."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(who: TasksWriter):
        begun.set()
        await go_on.wait()
        return {"slow": who.name}

    there.app.router.add_api_route(
        "/slow", slow, methods=["POST"], route_class_override=IdempotentRoute
    )
    first = asyncio.create_task(sent(client, path="/slow"))
    await begun.wait()
    second = await sent(client, path="/slow")
    assert (409, "JJM121") == (second.status_code, second.json()["code"])
    go_on.set()
    assert (await first).content == (await sent(client, path="/slow")).content


async def test_streams_are_not_kept(there, client):
    """They may have no end."""

    async def stream(who: TasksWriter):
        del who
        return StreamingResponse(iter(["a", "b"]))

    there.app.router.add_api_route(
        "/stream", stream, methods=["POST"], route_class_override=IdempotentRoute
    )
    for _ in range(2):
        answer = await sent(client, path="/stream")
        assert ("ab", None) == (answer.text, answer.headers.get("idempotency-replayed"))


async def test_without_a_key_each_is_done(there, client):
    """As ever."""
    for _ in range(2):
        await client.post("/api/v1/tasks/1")
    assert ["1", "1"] == there.done


@pytest.mark.parametrize("text", ["", " ", '""', "x" * 256, "é", "a\tb"])
def test_keys_that_are_none(text):
    """Refused before anything is done."""
    with pytest.raises(InvalidInputError):
        key_from(text)


async def test_what_may_have_been_done(there, client):
    """After its database went away, work that can be looked for hears of it, and other work is refused."""
    heard, errors = [], []

    async def works(who: TasksWriter, request: Request):
        heard.append(is_again(request))
        if errors:
            raise errors.pop()
        return {"name": who.name}

    for path, first in (("/looks", []), ("/once", [Depends(done_once)])):
        there.app.router.add_api_route(
            path, works, methods=["POST"], dependencies=first, route_class_override=IdempotentRoute
        )
    errors += [InvalidInputError("No."), StoreUnavailableError("Away.")]
    assert [503, 400, 200] == [(await sent(client, path="/looks")).status_code for _ in range(3)]
    assert [False, True, True] == heard, "an error later says nothing of the first try"
    errors += [StoreUnavailableError("Away.")]
    answers = [await sent(client, path="/once", key="k2") for _ in range(3)]
    assert [503, 502, 502] == [answer.status_code for answer in answers]
    assert ["JJM063"] * 2 == [answer.json()["code"] for answer in answers[1:]]
    assert "true" == answers[2].headers["idempotency-replayed"]
    assert [False] == heard[3:]


async def test_an_answer_that_cannot_be_kept_is_still_given(there, client):
    """The work is done; the next try must not do it again."""
    kept = there.app.state.idempotency._store

    class Forgetful:
        def __getattr__(self, name):
            return getattr(kept, name)

        async def answer(self, *args, **more):
            raise StoreUnavailableError("Away.")

    async def once(who: TasksWriter):
        return {"name": who.name}

    there.app.router.add_api_route(
        "/once", once, methods=["POST"], dependencies=[Depends(done_once)],
        route_class_override=IdempotentRoute,
    )  # fmt: skip
    there.app.state.idempotency._store = Forgetful()
    assert 200 == (await sent(client, path="/once")).status_code
    there.app.state.idempotency._store = kept
    assert 502 == (await sent(client, path="/once")).status_code

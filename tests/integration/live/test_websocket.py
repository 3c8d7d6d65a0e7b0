"""Events over a WebSocket from a real server."""

from __future__ import annotations

import contextlib
import json
import logging

import pytest
from fastapi import Depends
from tests.integration.live.world import world
from tests.waiting import until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from jules_job_manager.errors import StoreUnavailableError
from jules_job_manager.services.live import LivePolicy
from jules_job_manager.web.live import BAD_REQUEST, RESTARTS, TOO_SLOW, TRY_LATER, StreamPolicy

pytestmark = pytest.mark.integration


def address(here, query=""):
    return f"ws://127.0.0.1:{here.port}/events/ws?{query}"


async def numbers(socket, count):
    return [json.loads(await socket.recv())["data"]["n"] for _ in range(count)]


async def test_events_with_filters_and_from_an_id(tmp_path):
    """The same as the stream, as JSON; a client pings as it likes."""
    async with world(tmp_path) as here:
        await here.write(2)
        await here.write(1, type="b")
        async with connect(address(here, "after=1&type=t")) as one:
            assert [1] == await numbers(one, 1)
            for odd in ("not JSON", "[]", "x" * 1000, b"\xff", b'{"ping": 6}'):
                await one.send(odd)
            await one.send(json.dumps({"ping": 7}))
            assert {"pong": 7} == json.loads(await one.recv())
            await here.write(1)
            assert [3] == await numbers(one, 1)
        await until(lambda: here.live.health().followers == 0)


async def test_the_first_message_may_say_where_to_begin(tmp_path):
    """With `wait=1`, for browsers that make the address before they know."""
    async with world(tmp_path) as here:
        await here.write(3)
        async with connect(address(here, "wait=1")) as one:
            await one.send('{"after": 2}')
            assert [2] == await numbers(one, 1)


async def closed(socket) -> tuple[int, str]:
    with contextlib.suppress(ConnectionClosedError):
        async for _ in socket:
            pass
    return socket.close_code, socket.close_reason


@pytest.mark.parametrize(
    "query", ["after=x", "after=9", "since=never", "jobs=A", "until=%F0%9F%98%80" + "x" * 90]
)
async def test_what_cannot_be_used(tmp_path, query):
    """The close code says that coming back with the same is no use."""
    async with world(tmp_path) as here:
        one = await connect(address(here, query))
        assert BAD_REQUEST == (await closed(one))[0]


@pytest.mark.parametrize("word", ["[]", "no", '{"after": "x"}', "[" * 100_000, b"\xff", b"{}"])
async def test_a_first_message_that_is_none(tmp_path, word):
    """It is refused in the same way."""
    async with world(tmp_path) as here, connect(address(here, "wait=1")) as one:
        await one.send(word)
        assert BAD_REQUEST == (await closed(one))[0]


async def test_a_handshake_that_is_refused(tmp_path, caplog):
    """It is answered with a status, and the server does not take that for a mistake of its own."""

    async def nobody() -> None:
        raise StoreUnavailableError("Away.")

    async with world(tmp_path, dependencies=[Depends(nobody)]) as here:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        try:
            with pytest.raises(InvalidStatus) as caught:
                await connect(address(here))
            assert 503 == caught.value.response.status_code
            assert "Away." in caught.value.response.body.decode()
            await here.stop()
        finally:
            logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert [] == caplog.messages


async def test_a_first_message_that_never_comes(tmp_path):
    """Nobody holds a connection open by saying nothing."""
    policy = StreamPolicy(stalled_seconds=0.2)
    async with world(tmp_path, stream_policy=policy) as here:
        one = await connect(address(here, "wait=1"))
        assert TOO_SLOW == (await closed(one))[0]


async def test_a_server_that_stops_or_is_full(tmp_path):
    """Each has a code of its own."""
    async with world(tmp_path, stream_policy=StreamPolicy(most_clients=1)) as here:
        one = await connect(address(here))
        await until(lambda: here.live.health().followers == 1)
        assert TRY_LATER == (await closed(await connect(address(here))))[0]
        await here.stop()
        assert RESTARTS == (await closed(one))[0]


async def test_heartbeats(tmp_path):
    """They say how far a client has come."""
    policy = LivePolicy(poll_seconds=0.05, heartbeat_seconds=0.05)
    async with world(tmp_path, live_policy=policy) as here:
        await here.write(2)
        async with connect(address(here, "after=0&type=none")) as one:
            assert {"heartbeat": 2} == json.loads(await one.recv())


async def test_a_client_that_takes_nothing(tmp_path):
    """It is cut off; its place is free again."""
    policy = StreamPolicy(stalled_seconds=1.0)
    async with world(tmp_path, stream_policy=policy) as here:
        choice = {"max_queue": 1, "close_timeout": 0.1, "compression": None}
        async with connect(address(here, "after=0"), **choice):
            await here.write(200, data={"much": "x" * 60_000})
            await until(lambda: here.live.health().followers == 0)

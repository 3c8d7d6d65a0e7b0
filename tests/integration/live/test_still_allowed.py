"""Whether who follows may still do so is looked at while the stream goes on."""

from __future__ import annotations

import pytest
from tests.integration.live.test_websocket import address
from tests.integration.live.world import Stream, world
from tests.waiting import until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from jules_job_manager.errors import SignInRequiredError, StoreUnavailableError
from jules_job_manager.web.live import NOT_ALLOWED, StreamPolicy

pytestmark = pytest.mark.integration
OFTEN = StreamPolicy(recheck_seconds=0.01)


class Door:
    """Says who may; counts how often it was asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    async def __call__(self, connection) -> None:
        assert "headers" in connection.scope
        self.asked += 1
        if self.error is not None:
            raise self.error


async def _asked_again(door) -> None:
    seen = door.asked
    await until(lambda: door.asked > seen + 1)


async def test_a_stream_of_a_revoked_key_ends(tmp_path):
    """It goes on while the database that knows the keys is away, and ends once the key is refused."""
    door = Door()
    async with world(tmp_path, stream_policy=OFTEN, recheck=door) as here:
        one = Stream(here)
        assert 200 == await one.connect()
        await _asked_again(door)
        door.error = StoreUnavailableError("Away.")
        await _asked_again(door)
        await here.write(1)
        assert [0] == await one.take(1)
        door.error = SignInRequiredError()
        assert [] == await one.take(1)
        await one.leave()
        await until(lambda: here.live.health().followers == 0)


async def test_a_socket_of_a_revoked_key_is_closed(tmp_path):
    """With a code that says not to come back with the same key."""
    door = Door()
    async with (
        world(tmp_path, stream_policy=OFTEN, recheck=door) as here,
        connect(address(here)) as one,
    ):
        door.error = StoreUnavailableError("Away.")
        await _asked_again(door)
        door.error = SignInRequiredError()
        with pytest.raises(ConnectionClosedError) as closed:
            await one.recv()
        assert NOT_ALLOWED == closed.value.rcvd.code

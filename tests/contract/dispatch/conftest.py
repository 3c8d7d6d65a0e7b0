"""Every dispatcher, on every database it works with."""

from __future__ import annotations

import itertools

import asyncpg
import pytest
from tests.contract.dispatch.world import World
from tests.servers import private_postgresql

_NAMES = itertools.count()
EVERY = ("local on sqlite", "local on postgresql", "pgqueuer on postgresql")


@pytest.fixture(scope="session")
def server():
    """A server of our own: it is stopped and started."""
    with private_postgresql() as found:
        yield found


@pytest.fixture
async def make_world(request, tmp_path):
    """Return a function that makes an empty store with a dispatcher of a kind on it."""
    made = []

    async def make(kind: str) -> World:
        dispatcher, _, database = kind.partition(" on ")
        url, server = "", None
        if database == "postgresql":
            server = request.getfixturevalue("server")
            if server is None:
                pytest.skip("no PostgreSQL: its binaries are not here, or this user has no name")
            name = f"jjm_dispatch_{next(_NAMES)}"
            connection = await asyncpg.connect(server.address)
            await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()
            url = server.address.rpartition("/")[0] + f"/{name}"
        world = World(dispatcher, database, tmp_path / "home" / "jjm.db", url, server)
        made.append(world)
        await world.open()
        return world

    yield make
    for world in made:
        await world.aclose()


@pytest.fixture(params=EVERY)
async def world(request, make_world):
    return await make_world(request.param)

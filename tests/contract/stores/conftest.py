"""Every store, empty, on a real server where it needs one."""

from __future__ import annotations

import itertools
import os

import asyncpg
import pytest
from tests.ready_store import put_ready_store
from tests.servers import postgresql

from jules_job_manager.adapters.storage.opening import open_postgresql, open_store
from jules_job_manager.adapters.system_clock import SystemClock

_NAMES = itertools.count()
_READY: set[str] = set()
KEEPS_JOBS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_server():
    with postgresql() as address:
        yield address


async def _postgresql_template(server: str) -> str:
    """Return the name of an empty database with all tables, made once on each server."""
    name = f"jjm_ready_{os.getpid()}"
    if server not in _READY:
        connection = await asyncpg.connect(server)
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        await (await open_postgresql(f"{server.rpartition('/')[0]}/{name}")).aclose()
        _READY.add(server)
    return name


@pytest.fixture
async def make_arguments(request, tmp_path):
    """Return a function from the kind of a store to what `open_store` needs for an empty one.

    Of one that `is_ready` the database has its tables already; see `tests/ready_store.py`.
    """

    async def make(kind: str, *, is_ready: bool = False) -> dict:
        number = next(_NAMES)
        url = ""
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql_server")
            if server is None:
                pytest.skip(
                    "no PostgreSQL: neither the wheel's nor Debian's binaries are here, or this user has no name"
                )
            connection = await asyncpg.connect(server)
            await connection.execute(f"DROP DATABASE IF EXISTS jjm_test_{number}")
            like = await _postgresql_template(server) if is_ready else "template1"
            await connection.execute(f"CREATE DATABASE jjm_test_{number} TEMPLATE {like}")
            await connection.close()
            url = server.rpartition("/")[0] + f"/jjm_test_{number}"
        path = tmp_path / f"home-{number}" / f"jjm.{kind}"
        if is_ready and kind == "sqlite":
            put_ready_store(path)
        return {
            "kind": kind,
            "data_path": path,
            "database_url": url,
            "fallback": "error",
            "clock": SystemClock(),
        }

    return make


@pytest.fixture
def stores_are_ready() -> bool:
    """Whether a database has its tables before it is opened; overridden where they are the topic."""
    return True


@pytest.fixture(params=["json", "sqlite", "postgresql"])
async def store_arguments(request, make_arguments, stores_are_ready):
    """Return what `open_store` needs for an empty store of each kind."""
    return await make_arguments(request.param, is_ready=stores_are_ready)


@pytest.fixture
async def store(store_arguments):
    opened = await open_store(**store_arguments)
    yield opened
    await opened.aclose()


@pytest.fixture(params=KEEPS_JOBS)
async def sql_arguments(request, make_arguments, stores_are_ready):
    """Return what `open_store` needs for an empty store of each kind that keeps jobs."""
    return await make_arguments(request.param, is_ready=stores_are_ready)


@pytest.fixture
async def sql_store(sql_arguments):
    opened = await open_store(**sql_arguments)
    yield opened
    await opened.aclose()

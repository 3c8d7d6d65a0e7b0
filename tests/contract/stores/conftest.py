"""Every store, empty, on a real server where it needs one."""

from __future__ import annotations

import itertools

import asyncpg
import pytest
from tests.servers import postgresql

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock

_NAMES = itertools.count()
KEEPS_JOBS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_server():
    with postgresql() as address:
        yield address


@pytest.fixture
async def make_arguments(request, tmp_path):
    """Return a function from the kind of a store to what `open_store` needs for an empty one."""

    async def make(kind: str) -> dict:
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
            await connection.execute(f"CREATE DATABASE jjm_test_{number}")
            await connection.close()
            url = server.rpartition("/")[0] + f"/jjm_test_{number}"
        return {
            "kind": kind,
            "data_path": tmp_path / f"home-{number}" / f"jjm.{kind}",
            "database_url": url,
            "fallback": "error",
            "clock": SystemClock(),
        }

    return make


@pytest.fixture(params=["json", "sqlite", "postgresql"])
async def store_arguments(request, make_arguments):
    """Return what `open_store` needs for an empty store of each kind."""
    return await make_arguments(request.param)


@pytest.fixture
async def store(store_arguments):
    opened = await open_store(**store_arguments)
    yield opened
    await opened.aclose()


@pytest.fixture(params=KEEPS_JOBS)
async def sql_arguments(request, make_arguments):
    """Return what `open_store` needs for an empty store of each kind that keeps jobs."""
    return await make_arguments(request.param)


@pytest.fixture
async def sql_store(sql_arguments):
    opened = await open_store(**sql_arguments)
    yield opened
    await opened.aclose()

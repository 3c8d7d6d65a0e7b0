"""Every store, empty, on a real server where it needs one."""

from __future__ import annotations

import itertools

import asyncpg
import pytest
from tests.servers import postgresql

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock

_NAMES = itertools.count()


@pytest.fixture(scope="session")
def postgresql_server():
    with postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def store_arguments(request, tmp_path):
    """Return what `open_store` needs for an empty store of each kind."""
    return {
        "kind": request.param,
        "data_path": tmp_path / "home" / "jjm.db",
        "database_url": "",
        "fallback": "error",
        "clock": SystemClock(),
    }


@pytest.fixture
async def store(store_arguments, request):
    if store_arguments["kind"] == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        if server is None:
            pytest.skip("no PostgreSQL: neither the wheel's nor Debian's binaries are here")
        name = f"jjm_test_{next(_NAMES)}"
        connection = await asyncpg.connect(server)
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        store_arguments["database_url"] = server.rpartition("/")[0] + f"/{name}"
    opened = await open_store(**store_arguments)
    yield opened
    await opened.aclose()

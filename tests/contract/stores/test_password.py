"""A password of PostgreSQL that is replaced while programs use the database."""

from __future__ import annotations

import asyncpg
import pytest
import sqlalchemy as sa
from tests.servers import private_postgresql

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.reading.opening import task_reader_of
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import StoreError

pytestmark = pytest.mark.integration


@pytest.fixture
async def server():
    """Return a server that wants a password of `rotated`, and a connection of its owner."""
    with private_postgresql() as server:
        if server is None:
            pytest.skip("no PostgreSQL binaries")
        owner = await asyncpg.connect(server.address)
        rules = await owner.fetchval("SHOW hba_file")
        await owner.execute("CREATE ROLE rotated LOGIN SUPERUSER PASSWORD 'first'")
        only = "host all rotated 127.0.0.1/32 scram-sha-256\\nhost all all 127.0.0.1/32 trust"
        await owner.execute(
            f"COPY (SELECT E'{only}') TO PROGRAM $$sed 's/\\\\n/\\n/g' > '{rules}'$$"
        )
        await owner.execute("SELECT pg_reload_conf()")
        yield server, owner
        await owner.close()


def _address(server, password: str) -> str:
    return server.address.replace("jjm@", f"rotated:{password}@")


async def test_the_next_connections_say_it(server, tmp_path):
    """Those of the store and of the reader; nothing is restarted, and another address changes nothing."""
    server, owner = server
    store = await open_store(
        kind="postgresql", data_path=tmp_path / "jjm.db", database_url=_address(server, "first"),
        fallback="error", clock=SystemClock(),
    )  # fmt: skip
    reader = task_reader_of(store)
    await store.tasks.save_tasks([JulesTask(id="1")])
    await owner.execute("ALTER ROLE rotated PASSWORD 'second'")
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'"
    )
    await store.engine.dispose()
    with pytest.raises(StoreError, match="password"):
        await store.tasks.get_task("1")
    assert not store.use_password_of(_address(server, "second").replace("/postgres", "/other"))
    assert not store.use_password_of("nonsense")
    assert store.use_password_of(_address(server, "second"))
    assert "1" == (await store.tasks.get_task("1")).id
    assert '"1"' in await reader.task("1")
    assert "second" not in store.location + repr(store.engine.url)
    maker = store.engine.get_execution_options()["jjm_maker"]()
    async with maker.connect() as connection:
        assert 1 == (await connection.execute(sa.text("SELECT 1"))).scalar_one()
    await maker.dispose()
    await reader.aclose()
    await store.aclose()

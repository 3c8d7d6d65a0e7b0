"""Migrations lead to the schema the code uses, and back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from jules_job_manager.adapters.storage.opening import open_sqlite, open_store
from jules_job_manager.adapters.storage.sql import migrate
from jules_job_manager.adapters.storage.sql.engine import (
    postgresql_engine,
    sqlite_engine,
    transaction,
)
from jules_job_manager.adapters.storage.sql.schema import metadata
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.errors import (
    ConfigurationError,
    DamagedStoreError,
    StoreError,
    StoreUnavailableError,
)

pytestmark = pytest.mark.integration


async def test_migrations_make_the_schema_and_undo_it(store, store_arguments):
    """Nothing differs between the migrated schema and the declared one; base has no table left."""
    if store_arguments["kind"] == "sqlite":
        engine = sqlite_engine(store_arguments["data_path"])
    else:
        engine = postgresql_engine(store_arguments["database_url"])
    async with transaction(engine, writes=False) as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert [] == differences
    await migrate.downgrade(engine, "base")
    async with transaction(engine, writes=False) as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    assert {"alembic_version"} == set(names) - {"sqlite_sequence"}
    await engine.dispose()


def test_head_is_what_alembic_says():
    """The cheap check at opening knows the newest migration."""
    assert migrate.HEAD == ScriptDirectory.from_config(migrate.config()).get_current_head()


async def test_a_damaged_file_is_left_alone(tmp_path):
    """A file that is no database is reported in words, and not touched."""
    path = tmp_path / "jjm.db"
    path.write_bytes(b"this is not a database, it is a letter to a friend" * 20)
    before = path.read_bytes()
    with pytest.raises(DamagedStoreError, match="damaged"):
        await open_sqlite(path)
    assert before == path.read_bytes()


async def test_a_folder_that_cannot_be_made(tmp_path):
    """A home that cannot be made is one sentence with the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made") as caught:
        await open_sqlite(tmp_path / "file" / "jjm.db")
    assert "JJM_HOME" in str(caught.value.hint)


async def _open(tmp_path, url, fallback="error"):
    return await open_store(
        kind="postgresql", data_path=tmp_path / "jjm.db", database_url=url, fallback=fallback, clock=SystemClock()
    )  # fmt: skip


async def test_postgresql_away(tmp_path):
    """A server that is away is an error by default, without its password."""
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        await _open(tmp_path, "postgresql://jjm:hunter2@127.0.0.1:1/jjm")
    assert "hunter2" not in str(caught.value)


async def test_postgresql_away_with_fallback(tmp_path):
    """With the fallback a local store opens, and says so on every command."""
    store = await _open(tmp_path, "postgresql://jjm@127.0.0.1:1/jjm", fallback="local")
    assert "local store" in store.warning
    await store.aclose()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y"])
async def test_wrong_addresses(tmp_path, url):
    """An address that is none is a configuration error."""
    with pytest.raises(ConfigurationError):
        await _open(tmp_path, url)

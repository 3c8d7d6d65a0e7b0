"""Migrations lead to the schema the code uses, and back."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from tests.contract.stores.filling import fill

from jules_job_manager.adapters.storage.opening import open_sqlite, open_store
from jules_job_manager.adapters.storage.records import extents
from jules_job_manager.adapters.storage.sql import migrate
from jules_job_manager.adapters.storage.sql.engine import (
    postgresql_engine,
    sqlite_engine,
    transaction,
)
from jules_job_manager.adapters.storage.sql.records import reading
from jules_job_manager.adapters.storage.sql.schema import metadata
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.errors import (
    ConfigurationError,
    DamagedStoreError,
    StoreError,
    StoreUnavailableError,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def stores_are_ready() -> bool:
    """How the tables are made is the topic here."""
    return False


async def test_migrations_make_the_schema_and_undo_it(sql_store, sql_arguments):
    """Nothing differs between the migrated schema and the declared one; base has no table left."""
    if sql_arguments["kind"] == "sqlite":
        engine = sqlite_engine(sql_arguments["data_path"])
    else:
        engine = postgresql_engine(sql_arguments["database_url"])
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


@pytest.mark.parametrize(
    "revision", [r for r in migrate.revisions() if r not in {"base", migrate.HEAD}]
)
async def test_every_older_schema_goes_back_and_forth_with_its_data(
    sql_store, sql_arguments, revision
):
    """Taken back to an older schema and brought up again, a full store holds what it held."""
    await fill(sql_store, jobs=True)
    engine = sql_store.engine

    async def held():
        async with reading(engine) as records:
            return await extents(records)

    before = await held()
    await migrate.downgrade(engine, revision)
    assert revision == await migrate.current_revision(engine)
    if sql_arguments["kind"] == "postgresql":
        with pytest.raises(StoreError, match="older schema"):
            await open_store(**sql_arguments)
        await migrate.upgrade(engine)
    else:
        await (await open_store(**sql_arguments)).aclose()
    assert migrate.HEAD == await migrate.current_revision(engine)
    assert before == await held()
    async with transaction(engine, writes=False) as connection:
        assert [] == await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )


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


@pytest.mark.parametrize("kind", ["json", "sqlite", "postgresql"])
async def test_first_openings_at_once(make_arguments, kind):
    """Several programs that meet an empty place make one store of it together."""
    arguments = await make_arguments(kind)
    stores = await asyncio.gather(*(open_store(**arguments) for _ in range(4)))
    for number, store in enumerate(stores):
        await store.set_note(str(number), "there")
    assert ["there"] * 4 == [await stores[0].get_note(str(n)) for n in range(4)]
    for store in stores:
        await store.aclose()


async def test_schemas_of_other_versions(sql_arguments):
    """A newer schema is left alone; an older one is brought up (SQLite) or refused (PostgreSQL)."""
    store = await open_store(**sql_arguments)
    version = "UPDATE alembic_version SET version_num = '{}'"
    async with transaction(store.engine, writes=True) as connection:
        await connection.execute(sa.text(version.format("9999")))
    with pytest.raises(StoreError, match="newer version"):
        await open_store(**sql_arguments)
    if sql_arguments["kind"] == "postgresql":
        async with transaction(store.engine, writes=True) as connection:
            await connection.execute(sa.text(version.format("0000")))
        with pytest.raises(StoreError, match="older schema") as caught:
            await open_store(**sql_arguments)
        assert "jjm storage upgrade" in str(caught.value.hint)
    await store.aclose()


async def test_no_such_kind(tmp_path):
    """A kind that is none is a configuration error."""
    with pytest.raises(ConfigurationError, match="no kind of store"):
        await open_store(
            kind="paper", data_path=tmp_path, database_url="", fallback="error", clock=SystemClock()
        )

"""Opens the configured store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.storage.fallback import fallback_path, merge_into, waiting
from jules_job_manager.adapters.storage.private_files import alone, make_private, use_wal
from jules_job_manager.errors import (
    ConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from jules_job_manager.adapters.storage.sql.store import SqlStore


async def open_store(
    *, kind: str, data_path: Path, database_url: str, fallback: str, clock: Clock
) -> Store:
    """Open the store and return it.

    Args:
        kind: `sqlite`, `json` or `postgresql`.
        data_path: The file of a local store; beside it lives the fallback of PostgreSQL.
        database_url: Address of the PostgreSQL database.
        fallback: `error`, or `local` to go on in a file while PostgreSQL is away.
        clock: Names the files that are put aside.

    Raises:
        StoreUnavailableError: the database is away and there is no fallback.
        StoreError: the store cannot be opened, or its schema is not ours.
        DamagedStoreError: what is there cannot be read.
        ConfigurationError: an address is missing or wrong.
    """
    if kind == "json":
        from jules_job_manager.adapters.storage.json_store import open_json

        return await open_json(data_path, clock)
    if kind == "sqlite":
        return await open_sqlite(data_path, clock=clock)
    if kind != "postgresql":
        raise ConfigurationError(f"There is no kind of store {kind!r}.")
    if not database_url:
        raise ConfigurationError(
            "The PostgreSQL store needs an address.",
            hint="Set DATABASE_URL to postgresql://USER:PASSWORD@host:5432/name",
        )
    return await _open_with_fallback(data_path, database_url, fallback)


async def open_sqlite(path: Path, *, warning: str = "", clock: Clock | None = None) -> SqlStore:
    """Open a SQLite file, making it and its folder when missing, readable by the user alone."""
    from jules_job_manager.adapters.storage.sql import migrate
    from jules_job_manager.adapters.storage.sql.engine import sqlite_engine
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    await asyncio.to_thread(make_private, path)
    await use_wal(path)
    engine = sqlite_engine(path)
    try:
        revision = await migrate.current_revision(engine)
        if revision != migrate.HEAD:
            _require_known(revision, str(path))
            await _upgrade_locked(engine, path)
    except BaseException:
        await engine.dispose()
        raise
    return SqlStore(engine, kind="sqlite", warning=warning, clock=clock)


async def open_postgresql(url: str) -> SqlStore:
    """Open a PostgreSQL database; an empty one gets the schema, an older one is refused."""
    from jules_job_manager.adapters.storage.sql import migrate
    from jules_job_manager.adapters.storage.sql.engine import postgresql_engine, shown_address
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    engine = postgresql_engine(url)
    try:
        revision = await migrate.current_revision(engine)
        if revision is None and await migrate.is_empty(engine):
            await migrate.upgrade(engine)
        elif revision != migrate.HEAD:
            _require_known(revision, shown_address(engine))
            raise StoreError(
                f"The database {shown_address(engine)} has an older schema ({revision}).",
                hint="Stop what uses it, make a copy, and run: jjm storage upgrade",
            )
    except BaseException:
        await engine.dispose()
        raise
    return SqlStore(engine, kind="postgresql")


async def engine_of_existing(kind: str, address: str) -> AsyncEngine:
    """Return an engine on a store that exists and has the newest schema; nothing is changed.

    Raises:
        StoreError: there is none, or its schema is another.
    """
    from jules_job_manager.adapters.storage.sql import migrate
    from jules_job_manager.adapters.storage.sql.engine import (
        postgresql_engine,
        shown_address,
        sqlite_engine,
    )

    if kind == "sqlite" and not await asyncio.to_thread(Path(address).exists):
        raise StoreError(f"There is no store {address}.")
    engine = sqlite_engine(Path(address)) if kind == "sqlite" else postgresql_engine(address)
    try:
        revision = await migrate.current_revision(engine)
        if revision != migrate.HEAD:
            where = shown_address(engine)
            _require_known(revision, where)
            what = "is no store of jjm" if revision is None else "has an older schema"
            raise StoreError(
                f"{where} {what}.", hint="Bring it up to date with: jjm storage upgrade"
            )
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def _open_with_fallback(data_path: Path, url: str, fallback: str) -> Store:
    path = fallback_path(data_path)
    try:
        store = await open_postgresql(url)
    except StoreUnavailableError as exc:
        if fallback != "local":
            raise
        warning = f"{exc} Working in the local store {path}; it is merged as soon as the database answers."
        return await open_sqlite(path, warning=warning)
    try:
        store.warning = await _settle(store, path, fallback)
    except BaseException:
        await store.aclose()
        raise
    return store


async def _settle(store: SqlStore, path: Path, fallback: str) -> str:
    """Merge the local store where that is wanted; return what users must know."""
    if not await asyncio.to_thread(path.exists):
        return ""
    if fallback == "local":
        merged = await merge_into(store, path)
        counts = ", ".join(f"{count} {name}" for name, count in merged.items())
        return f"The database answers again; merged from {path}: {counts}." if merged else ""
    if not await waiting(path):
        return ""
    return f"{path} holds what was written while the database was away; merge it with: jjm storage merge-fallback"


async def _upgrade_locked(engine: AsyncEngine, path: Path) -> None:
    """Upgrade under a file lock, so that two commands at once do it once."""
    from jules_job_manager.adapters.storage.sql import migrate

    async with alone(path):
        revision = await migrate.current_revision(engine)
        if revision is None and not await migrate.is_empty(engine):
            raise StoreError(
                f"{path} is a database of another program; it was left as it is.",
                hint="Set storage.data_path or JJM_HOME to another place.",
            )
        if revision != migrate.HEAD:
            await migrate.upgrade(engine)


def _require_known(revision: str | None, where: str) -> None:
    from jules_job_manager.adapters.storage.sql import migrate

    if revision is not None and revision > migrate.HEAD:
        raise StoreError(
            f"The store {where} was made by a newer version (schema {revision}).",
            hint="Update jjm, or set JJM_HOME to another folder.",
        )

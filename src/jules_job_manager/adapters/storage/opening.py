"""Opens the configured store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.errors import (
    ConfigurationError,
    StoreError,
    StoreUnavailableError,
    UnsupportedOperationError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store

if TYPE_CHECKING:
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
        raise UnsupportedOperationError(
            "The JSON file store is not in this version yet.",
            hint="Use storage.backend sqlite, which also needs no server.",
        )
    if kind == "sqlite":
        return await open_sqlite(data_path)
    if kind != "postgresql":
        raise ConfigurationError(f"There is no kind of store {kind!r}.")
    if not database_url:
        raise ConfigurationError(
            "The PostgreSQL store needs an address.",
            hint="Set DATABASE_URL to postgresql://user:password@host:5432/name",
        )
    return await _open_with_fallback(data_path, database_url, fallback, clock)


async def open_sqlite(path: Path, *, warning: str = "") -> Store:
    """Open a SQLite file, making it and its folder when missing, readable by the user alone."""
    from jules_job_manager.adapters.storage.sql import migrate
    from jules_job_manager.adapters.storage.sql.engine import sqlite_engine
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    await asyncio.to_thread(_make_private, path)
    engine = sqlite_engine(path)
    try:
        revision = await migrate.current_revision(engine)
        if revision != migrate.HEAD:
            _require_known(revision, str(path))
            await asyncio.to_thread(_upgrade_locked, path, migrate.HEAD)
    except BaseException:
        await engine.dispose()
        raise
    return SqlStore(engine, kind="sqlite", warning=warning)


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
                f"The database {shown_address(engine)} has an older schema.",
                hint="Use the version of jjm that made it; upgrading in place is not built yet.",
            )
    except BaseException:
        await engine.dispose()
        raise
    return SqlStore(engine, kind="postgresql")


def fallback_path(data_path: Path) -> Path:
    """Return the file that is used while PostgreSQL is away."""
    return data_path.with_name(data_path.name + ".fallback")


async def _open_with_fallback(data_path: Path, url: str, fallback: str, clock: Clock) -> Store:
    del clock
    path = fallback_path(data_path)
    try:
        store = await open_postgresql(url)
    except StoreUnavailableError as exc:
        if fallback != "local":
            raise
        return await open_sqlite(
            path,
            warning=f"{exc} Working in the local store {path}; it is not merged back by itself.",
        )
    if path.exists():
        store.warning = f"{path} holds what was written while the database was away. It is not merged yet: keep it."
    return store


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"The store {path} cannot be made: {exc.strerror}.",
            hint="Make its folder writable, or set JJM_HOME to another one.",
        ) from exc


def _upgrade_locked(path: Path, head: str) -> None:
    """Upgrade under a file lock, so that two commands at once do it once.

    It runs in a thread with a loop of its own: waiting for the lock must not block ours.
    """
    from filelock import FileLock

    from jules_job_manager.adapters.storage.sql import migrate
    from jules_job_manager.adapters.storage.sql.engine import sqlite_engine

    own = sqlite_engine(path)

    async def work() -> None:
        try:
            if await migrate.current_revision(own) != head:
                await migrate.upgrade(own)
        finally:
            await own.dispose()

    with FileLock(f"{path}.lock", mode=0o600):
        asyncio.run(work())


def _require_known(revision: str | None, where: str) -> None:
    from jules_job_manager.adapters.storage.sql import migrate

    if revision is not None and revision > migrate.HEAD:
        raise StoreError(
            f"The store {where} was made by a newer version (schema {revision}).",
            hint="Update jjm, or set JJM_HOME to another folder.",
        )

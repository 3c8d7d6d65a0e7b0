"""Opening a database: the connection settings, and the driver's errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from jules_job_manager.errors import (
    ConfigurationError,
    DamagedStoreError,
    MissingExtraError,
    StoreError,
    StoreUnavailableError,
)

BUSY_SECONDS = 30.0
POOL_SIZE = 10


def sqlite_engine(path: Path) -> AsyncEngine:
    """Return an engine on the file; every transaction is one of ours (BEGIN is explicit).

    Source: sqlite.org/wal.html and SQLAlchemy's pysqlite page ("Serializable isolation").
    """
    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={int(BUSY_SECONDS * 1000)}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def postgresql_engine(url: str) -> AsyncEngine:
    """Return an engine on a PostgreSQL address.

    Raises:
        MissingExtraError: the driver is not installed.
        ConfigurationError: the address is empty or not one of PostgreSQL.
    """
    try:
        import asyncpg  # noqa: F401 - only to name the missing extra
    except ImportError as exc:
        raise MissingExtraError("The PostgreSQL store", "postgresql") from exc
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as exc:
        raise ConfigurationError(
            "DATABASE_URL is not a database address.",
            hint="Write it as postgresql://user:password@host:5432/name",
        ) from exc
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            "DATABASE_URL must begin with postgresql://.",
            hint="For a file, set storage.backend to sqlite and storage.data_path.",
        )
    return create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"),
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        connect_args={"timeout": 10},
    )


def shown_address(engine: AsyncEngine) -> str:
    """Return the file, or the address without its password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, writes: bool) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in one transaction, committed at the end or undone on an error.

    Raises:
        StoreUnavailableError, DamagedStoreError, StoreError: the driver failed.
    """
    where = shown_address(engine)
    try:
        async with engine.connect() as plain:
            connection = await plain.execution_options(writes=writes)
            async with connection.begin():
                yield connection
    except sa.exc.IntegrityError as exc:
        raise StoreError(f"The store refused what it was given: {_cause(exc)}") from exc
    except sa.exc.DBAPIError as exc:
        raise _translated(exc, where) from exc
    except (OSError, TimeoutError) as exc:
        raise _away(where, exc) from exc


def _translated(exc: sa.exc.DBAPIError, where: str) -> StoreError:
    cause = exc.orig
    while (
        cause is not None and not isinstance(cause, sqlite3.Error) and cause.__cause__ is not None
    ):
        cause = cause.__cause__  # type: ignore[assignment]
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return DamagedStoreError(
            f"The store {where} is damaged; it was left as it is.",
            hint="Move it away and restore a copy, or start anew; Jules itself keeps your tasks.",
        )
    if name.startswith("SQLITE_FULL"):
        return StoreError(
            f"The disk is full; nothing was written to {where}.",
            hint="Free some space and try again.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
        return StoreError(
            f"The store {where} cannot be written ({_cause(exc)}).",
            hint="Make its folder writable, or set JJM_HOME to another one.",
        )
    if name.startswith("SQLITE_BUSY"):
        return StoreUnavailableError(f"The store {where} is busy with another program; try again.")
    if exc.connection_invalidated or isinstance(
        exc, sa.exc.InterfaceError | sa.exc.OperationalError
    ):
        return _away(where, exc)
    return StoreError(f"The store {where} failed: {_cause(exc)}")


def _away(where: str, exc: BaseException) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"The database {where} cannot be reached ({_cause(exc)}).",
        hint="Start it, or set storage.fallback to local to go on in a file until it is back.",
    )


def _cause(exc: BaseException) -> str:
    origin = getattr(exc, "orig", None) or exc
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0]

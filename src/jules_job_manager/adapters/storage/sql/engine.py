"""Opening a database: the connection settings, and transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from jules_job_manager.adapters.storage.sql.failures import away, cause_of, translated
from jules_job_manager.adapters.storage.sql.upsert import INSERT_OPTION
from jules_job_manager.domain.clockwork import require_aware
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.errors import ConfigurationError, MissingExtraError, StoreError
from jules_job_manager.ports.clock import Clock

SNAPSHOT_OPTION = "jjm_snapshot"
"""Execution option: what to run first, so that a transaction sees one instant; may be empty."""
AFTER_COPY_OPTION = "jjm_after_copy"
"""Execution option: what to run after events were written with ids of their own; may be empty."""
SCHEMA_LOCK_OPTION = "jjm_schema_lock"
"""Execution option: what to run first, so that one program at a time changes the schema."""
AUDIT_LOCK_OPTION = "jjm_audit_lock"
"""Execution option: what to run first, so that one program at a time adds to the audit log."""
KEYS_LOCK_OPTION = "jjm_keys_lock"
"""Execution option: what to run first, so that one program at a time makes the first admin key."""
CLOCK_OPTION = "jjm_clock"
"""Execution option: a query for the time that all users of the database share; may be empty."""
SKIP_LOCKED_OPTION = "jjm_skip_locked"
"""Execution option: whether rows that another transaction is claiming are to be passed over."""
MAKER_OPTION = "jjm_maker"
"""Execution option: a function that returns another engine on the same database."""
STANDING_STILL_OPTION = "jjm_standing_still"
"""Execution option: what ends the transactions of programs that stand still in the middle of a statement."""
LOCK_WAIT_OPTION = "jjm_lock_wait"
"""Execution option: what to run first, so that a wait for a row has an end (`is_held`); may be empty."""
PASSWORD_OPTION = "jjm_password"  # noqa: S105 - a name
"""Execution option: the `Password` of new connections."""
LISTENERS_OPTION = "jjm_listeners"
"""Execution option: who is told of the events that a transaction wrote, once it is committed."""
WRITTEN_OPTION = "jjm_written"
"""Execution option of a connection: the events that its transaction has written so far."""
BUSY_SECONDS = 30.0
IDLE_SECONDS = 20
"""After so long in a transaction without a word the server ends it: a program that stands still
(stopped, or on a machine that sleeps) must not keep others from its locks."""
LOCK_SECONDS = 5
"""Longest wait for the row of a lease, which a transaction of its holder may have locked."""
PROGRAM = "jjm"
"""What our connections are called in `pg_stat_activity`."""
POOL_SIZE = 10
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""Longest wait for one answer of PostgreSQL. Migrations have none: an index may take long to make."""


@dataclass
class Password:
    """What new connections of an engine say; those that are open stay."""

    text: str | None = None
    """None: nothing, or what the system keeps (`~/.pgpass`)."""


def sqlite_engine(path: Path) -> AsyncEngine:
    """Return an engine on the file; every transaction is one of ours (BEGIN is explicit).

    The file is in WAL mode already; see `use_wal`.

    Source: sqlite.org/wal.html and SQLAlchemy's pysqlite page ("Serializable isolation").
    """
    from sqlalchemy.dialects import sqlite

    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        execution_options={
            INSERT_OPTION: sqlite.insert,
            SNAPSHOT_OPTION: "",  # every transaction of WAL mode sees one instant
            AFTER_COPY_OPTION: "",  # AUTOINCREMENT follows the ids that were given
            SCHEMA_LOCK_OPTION: "",  # BEGIN IMMEDIATE has locked the file
            AUDIT_LOCK_OPTION: "",
            KEYS_LOCK_OPTION: "",
            CLOCK_OPTION: "",  # one machine: its own clock
            STANDING_STILL_OPTION: "",  # a file's lock cannot be taken from a program that runs
            LOCK_WAIT_OPTION: "",  # `busy_timeout` is its end
            SKIP_LOCKED_OPTION: False,  # one writer at a time
            MAKER_OPTION: lambda: sqlite_engine(path),
            LISTENERS_OPTION: [],
        },
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={int(BUSY_SECONDS * 1000)}",
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


def postgresql_engine(
    url: str, *, answer_seconds: float | None = None, password: Password | None = None
) -> AsyncEngine:
    """Return an engine on a PostgreSQL address.

    Args:
        url: The address.
        answer_seconds: Longest wait for one answer, in seconds; 0 has no end, None the usual.
        password: That of another engine on the same address; None: the address has it.

    Raises:
        MissingExtraError: the driver is not installed.
        ConfigurationError: the address is empty or not one of PostgreSQL.
    """
    try:
        import asyncpg  # noqa: F401 - only to name the missing extra
    except ImportError as exc:
        raise MissingExtraError("The PostgreSQL store", "postgresql") from exc
    from sqlalchemy.dialects import postgresql

    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as exc:
        raise ConfigurationError(
            "DATABASE_URL is not a database address.",
            hint="Write it as postgresql://USER:PASSWORD@host:5432/name",
        ) from exc
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            "DATABASE_URL must begin with postgresql://.",
            hint="For a file, set storage.backend to sqlite and storage.data_path.",
        )
    password = (
        Password(None if parsed.password is None else str(parsed.password))
        if password is None
        else password
    )
    engine = create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"),
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": (ANSWER_SECONDS if answer_seconds is None else answer_seconds)
            or None,
            "server_settings": {
                "application_name": PROGRAM,
                "idle_in_transaction_session_timeout": str(IDLE_SECONDS * 1000),
            },
        },
        execution_options={
            INSERT_OPTION: postgresql.insert,
            SNAPSHOT_OPTION: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            AFTER_COPY_OPTION: "SELECT " + ", ".join(map(_next_id, _NUMBERED)),
            SCHEMA_LOCK_OPTION: "SELECT pg_advisory_xact_lock(7260910)",
            AUDIT_LOCK_OPTION: "SELECT pg_advisory_xact_lock(7260912)",
            KEYS_LOCK_OPTION: "SELECT pg_advisory_xact_lock(7260913)",
            CLOCK_OPTION: "SELECT clock_timestamp()",  # machines' clocks differ
            STANDING_STILL_OPTION: _end_those_that_stand_still(),
            LOCK_WAIT_OPTION: f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'",
            SKIP_LOCKED_OPTION: True,
            MAKER_OPTION: lambda: postgresql_engine(url, answer_seconds=0, password=password),
            PASSWORD_OPTION: password,
            LISTENERS_OPTION: [],
        },
    )

    @sa.event.listens_for(engine.sync_engine, "do_connect")
    def _say_password(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        if password.text is not None:
            parameters["password"] = password.text

    return engine


def use_password(engine: AsyncEngine, url: str) -> bool:
    """Let new connections of a PostgreSQL engine say the password of another address.

    Returns:
        False, and nothing is changed, when the address is another one in more than its password.
    """
    try:
        given = make_url(url)
    except sa.exc.ArgumentError:
        return False
    names = ("username", "host", "port", "database", "query")
    if any(getattr(given, name) != getattr(engine.url, name) for name in names):
        return False
    password: Password = engine.get_execution_options()[PASSWORD_OPTION]
    password.text = None if given.password is None else str(given.password)
    return True


def _end_those_that_stand_still() -> str:
    """Return a query that ends our connections whose program stopped between a statement's parts.

    The driver sends "prepare" and "execute" one after the other (asyncpg's `coreproto.pyx`: Flush, later
    Sync). To the server a program that stands still between the two is "active" and waits for the
    client: `idle_in_transaction_session_timeout` does not count, and `statement_timeout` is put off
    until something arrives. `transaction_timeout` would end it, but only PostgreSQL 17 has it.
    """
    return f"""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND application_name = '{PROGRAM}'
        AND state = 'active' AND wait_event = 'ClientRead' AND xact_start IS NOT NULL
        AND state_change < clock_timestamp() - interval '{IDLE_SECONDS} seconds'
    """  # noqa: S608 - constants of ours


_NUMBERED = ("task_events", "quota_ledger", "webhook_deliveries")


def _next_id(table: str) -> str:
    """Return an expression that lets the table's ids go on after those that are there."""
    sequence = f"pg_get_serial_sequence('{table}', 'id')"
    return f"(SELECT setval({sequence}, coalesce(max(id), 1), max(id) IS NOT NULL) FROM {table})"  # noqa: S608 - names of ours


def shown_address(engine: AsyncEngine) -> str:
    """Return the file, or the address without its password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, writes: bool) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in one transaction, committed at the end or undone on an error.

    Once it is committed, the engine's listeners are told of the events that it wrote.

    Raises:
        StoreUnavailableError, DamagedStoreError, StoreError: the driver failed.
    """
    where = shown_address(engine)
    written: list[NewEvent] = []
    try:
        async with engine.connect() as plain:
            connection = await plain.execution_options(writes=writes, **{WRITTEN_OPTION: written})
            async with connection.begin():
                yield connection
    except sa.exc.IntegrityError as exc:
        raise StoreError(f"The store refused what it was given: {cause_of(exc)}") from exc
    except sa.exc.DBAPIError as exc:
        raise translated(exc, where) from exc
    except (OSError, TimeoutError) as exc:
        raise away(where, exc) from exc
    if written:
        for listener in engine.get_execution_options()[LISTENERS_OPTION]:
            listener(written)


def option(connection: AsyncConnection, name: str) -> Any:
    """Return an execution option of the connection's engine."""
    return connection.engine.get_execution_options()[name]


async def run_option(connection: AsyncConnection, name: str) -> None:
    """Run the statement of this name's option, where the kind of database has one."""
    statement = option(connection, name)
    if statement:
        await connection.execute(sa.text(statement))


async def take_lock(connection: AsyncConnection, name: str) -> None:
    """Wait for a lock of this name's option, held to the end of the transaction; it must write."""
    await run_option(connection, name)  # SQLite lets one transaction write at a time


async def shared_now(connection: AsyncConnection, clock: Clock) -> datetime:
    """Return the time that all users of the database share: the server's, or `clock`'s."""
    query = option(connection, CLOCK_OPTION)
    if not query:
        return clock.now()
    return require_aware((await connection.execute(sa.text(query))).scalar_one())

"""Bringing the schema up to date. Alembic is imported only when there is something to do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.revision import HEAD
from jules_job_manager.adapters.storage.sql.engine import (
    MAKER_OPTION,
    SCHEMA_LOCK_OPTION,
    transaction,
)
from jules_job_manager.adapters.storage.sql.schema import metadata

__all__ = ["HEAD", "config", "current_revision", "downgrade", "is_empty", "revisions", "upgrade"]

_ONE_AT_A_TIME = threading.Lock()
_FOLDER = Path(__file__).parent / "migrations"


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision of the schema, or None when there is none yet."""
    async with transaction(engine, writes=False) as connection:
        if not await connection.run_sync(
            lambda sync: sa.inspect(sync).has_table("alembic_version")
        ):
            return None
        result = await connection.execute(sa.text("SELECT version_num FROM alembic_version"))
        return result.scalar_one_or_none()


def revisions() -> list[str]:
    """Return every revision there is, oldest first, beginning with `base`: no schema at all."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config())
    return ["base", *(found.revision for found in reversed(list(script.walk_revisions())))]


async def is_empty(engine: AsyncEngine) -> bool:
    """Return whether the database has no table with a name of ours."""
    async with transaction(engine, writes=False) as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    return not set(names) & set(metadata.tables)


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Run the migrations up to `revision`, in one transaction."""
    await _run(engine, "upgrade", revision)


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Run the migrations down to `revision` (`base` removes every table)."""
    await _run(engine, "downgrade", revision)


def config() -> Any:
    """Return Alembic's configuration, without any file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return made


async def _run(engine: AsyncEngine, command: str, revision: str) -> None:
    # In a thread with an engine of its own: Alembic keeps its state in module globals, so two of
    # its commands must not run at once, and waiting for the other must not block this loop.
    make: Callable[[], AsyncEngine] = engine.get_execution_options()[MAKER_OPTION]
    await asyncio.to_thread(_run_alone, make, command, revision)


def _run_alone(make: Callable[[], AsyncEngine], command: str, revision: str) -> None:
    with _ONE_AT_A_TIME:
        asyncio.run(_run_here(make(), command, revision))


async def _run_here(engine: AsyncEngine, command: str, revision: str) -> None:
    from alembic import command as commands

    made = config()

    def run(connection: sa.Connection) -> None:
        lock = connection.get_execution_options()[SCHEMA_LOCK_OPTION]
        if lock:
            connection.exec_driver_sql(lock)
        made.attributes["connection"] = connection
        getattr(commands, command)(made, revision)

    try:
        async with transaction(engine, writes=True) as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()

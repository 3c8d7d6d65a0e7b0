"""Bringing the schema up to date. Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.sql.engine import transaction

HEAD = "0001"
"""The newest migration. A test holds it equal to what Alembic says."""

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


async def is_empty(engine: AsyncEngine) -> bool:
    """Return whether the database has no table of ours."""
    async with transaction(engine, writes=False) as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    return "tasks" not in names


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
    from alembic import command as commands

    made = config()

    def run(connection: sa.Connection) -> None:
        made.attributes["connection"] = connection
        getattr(commands, command)(made, revision)

    async with transaction(engine, writes=True) as connection:
        await connection.run_sync(run)

"""Bringing a store's schema to another revision, on a person's word."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.storage.private_files import alone
from jules_job_manager.errors import InvalidInputError, StoreError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaChange:
    """From which revision to which. Both are equal when there was nothing to do."""

    location: str
    before: str
    after: str


async def change_schema(
    *, kind: str, address: str, revision: str | None, may_lose: bool, dry_run: bool = False
) -> SchemaChange:
    """Bring the schema to `revision`, in one transaction.

    Args:
        kind: `sqlite` or `postgresql`.
        address: The file, or the database's address.
        revision: A known revision, `base` (no schema at all), or None for the newest.
        may_lose: Whether going back is wanted, which drops what only newer schemas keep.
        dry_run: Only say what would be done.

    Raises:
        InvalidInputError: there is no such revision, or going back is not wanted.
        StoreError: there is no store, it is not ours, or the change failed and was undone.
    """
    from jules_job_manager.adapters.storage.sql import migrate

    known = migrate.revisions()
    wanted = known[-1] if revision is None else revision
    if wanted not in known:
        raise InvalidInputError(
            f"There is no revision {wanted!r}.", hint=f"Known are: {', '.join(known)}."
        )
    engine, location = await _engine(kind, address)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        if kind == "sqlite":
            await stack.enter_async_context(alone(Path(address)))
        before = await _revision(engine, location, known)
        change = SchemaChange(location=location, before=before, after=wanted)
        if known.index(wanted) < known.index(before):
            if not may_lose and not dry_run:
                raise InvalidInputError(
                    f"Going back from {before} to {wanted} drops what only newer schemas keep.",
                    hint="Make a copy of the store, then add --yes.",
                )
            step = migrate.downgrade
        else:
            step = migrate.upgrade
        if before != wanted and not dry_run:
            await step(engine, wanted)
    return change


async def _engine(kind: str, address: str) -> tuple[AsyncEngine, str]:
    from jules_job_manager.adapters.storage.sql.engine import (
        postgresql_engine,
        shown_address,
        sqlite_engine,
    )

    if kind == "sqlite" and not await asyncio.to_thread(Path(address).exists):
        raise StoreError(f"There is no store {address}.")
    engine = sqlite_engine(Path(address)) if kind == "sqlite" else postgresql_engine(address)
    return engine, shown_address(engine)


async def _revision(engine: AsyncEngine, location: str, known: list[str]) -> str:
    from jules_job_manager.adapters.storage.sql import migrate

    revision = await migrate.current_revision(engine)
    if revision is None:
        if not await migrate.is_empty(engine):
            raise StoreError(
                f"{location} has tables of another program; nothing was done.",
                hint="Give jjm a database of its own.",
            )
        return "base"
    if revision not in known:
        raise StoreError(
            f"{location} was made by a newer version (schema {revision}).", hint="Update jjm."
        )
    return revision

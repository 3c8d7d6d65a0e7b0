"""The local store that stands in for PostgreSQL while it is away, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.storage.private_files import alone

if TYPE_CHECKING:
    from jules_job_manager.adapters.storage.sql.store import SqlStore


def fallback_path(data_path: Path) -> Path:
    """Return the file that is used while PostgreSQL is away."""
    return data_path.with_name(data_path.name + ".fallback")


async def waiting(path: Path) -> Mapping[str, int]:
    """Return how much of each table waits in the local store at `path`; tables with none are left out.

    Raises:
        StoreError: it cannot be read.
    """
    if not await asyncio.to_thread(path.exists):
        return {}
    from jules_job_manager.adapters.storage.opening import open_sqlite
    from jules_job_manager.adapters.storage.sql.merging import count_waiting

    local = await open_sqlite(path)
    try:
        return await count_waiting(local)
    finally:
        await local.aclose()


async def merge_now(path: Path, url: str) -> Mapping[str, int]:
    """Open the database and merge the local store into it; return counts by table.

    Raises:
        StoreUnavailableError: the database is still away.
        StoreError: a store failed; nothing was taken from the local one.
    """
    from jules_job_manager.adapters.storage.opening import open_postgresql

    store = await open_postgresql(url)
    try:
        return await merge_into(store, path)
    finally:
        await store.aclose()


async def merge_into(store: SqlStore, path: Path) -> Mapping[str, int]:
    """Merge the local store at `path`, if there is one, into an open database.

    Raises:
        StoreError: a store failed; nothing was taken from the local one.
    """
    if not await asyncio.to_thread(path.exists):
        return {}
    from jules_job_manager.adapters.storage.opening import open_sqlite
    from jules_job_manager.adapters.storage.sql.merging import count_waiting, merge

    async with alone(path, ".merge.lock"):
        local = await open_sqlite(path)
        try:
            return await merge(local, store.engine) if await count_waiting(local) else {}
        finally:
            await local.aclose()

"""A store for access on a file that is thrown away: the real one, since it is quick."""

from __future__ import annotations

from contextlib import asynccontextmanager

from jules_job_manager.adapters.storage.opening import open_sqlite
from tests.ready_store import put_ready_store


@asynccontextmanager
async def opened(path, clock):
    """Yield an empty SQLite store on `clock`."""
    store = await open_sqlite(put_ready_store(path / "access.db"), clock=clock)
    try:
        yield store
    finally:
        await store.aclose()

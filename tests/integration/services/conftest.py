"""Services on a real SQLite store."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from jules_job_manager.adapters.storage.opening import open_sqlite


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """The file of an empty store, to be copied: making one takes long."""
    path = tmp_path_factory.mktemp("empty") / "jjm.db"

    async def make() -> None:
        await (await open_sqlite(path)).aclose()

    asyncio.run(make())
    return path


@pytest.fixture
async def store(tmp_path, empty_store):
    shutil.copy(empty_store, tmp_path / "jjm.db")
    opened = await open_sqlite(tmp_path / "jjm.db")
    yield opened
    await opened.aclose()

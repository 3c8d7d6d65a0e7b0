"""Services on a real SQLite store."""

from __future__ import annotations

import pytest
from tests.ready_store import put_ready_store

from jules_job_manager.adapters.storage.opening import open_sqlite


@pytest.fixture
async def store(tmp_path):
    opened = await open_sqlite(put_ready_store(tmp_path / "jjm.db"))
    yield opened
    await opened.aclose()

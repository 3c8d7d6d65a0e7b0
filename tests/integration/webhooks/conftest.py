"""What tests of webhooks share."""

from __future__ import annotations

import pytest
from tests.clocks import FakeClock
from tests.integration.webhooks.world import World
from tests.ready_store import put_ready_store

from jules_job_manager.adapters.storage.opening import open_store


@pytest.fixture
async def world(tmp_path):
    clock = FakeClock()
    store = await open_store(
        kind="sqlite", data_path=put_ready_store(tmp_path / "jjm.db"), database_url="",
        fallback="error", clock=clock,
    )  # fmt: skip
    made = World(store, clock)
    sender = made.sender
    yield made
    await sender.aclose()
    await store.aclose()

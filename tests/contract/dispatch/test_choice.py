"""Which dispatcher is used."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from jules_job_manager.adapters.dispatch.local import LocalDispatcher
from jules_job_manager.adapters.dispatch.pgqueuer import PgQueuerDispatcher
from jules_job_manager.bootstrap.dispatch import dispatcher_of
from jules_job_manager.errors import ConfigurationError, MissingExtraError
from jules_job_manager.settings.model import QueueSettings, Settings, StorageSettings

pytestmark = pytest.mark.integration


def _settings(backend: str, dispatcher: str) -> Settings:
    return Settings(
        home=Path("/nowhere"),
        storage=StorageSettings(backend=backend),
        queue=QueueSettings(dispatcher=dispatcher),
    )


async def test_on_a_file_it_is_the_local_one(make_world):
    """Unless PgQueuer is asked for, which is refused with what to do."""
    store = (await make_world("local on sqlite")).store
    for wanted in ("auto", "local"):
        assert isinstance(dispatcher_of(store, _settings("sqlite", wanted)), LocalDispatcher)
    with pytest.raises(ConfigurationError, match="needs the PostgreSQL store") as caught:
        dispatcher_of(store, _settings("sqlite", "pgqueuer"))
    assert "storage.backend" in caught.value.hint


async def test_a_file_that_stands_in_for_postgresql_has_the_local_one(make_world):
    """While the database is away, whatever is asked for."""
    store = (await make_world("local on sqlite")).store
    assert isinstance(dispatcher_of(store, _settings("postgresql", "pgqueuer")), LocalDispatcher)


async def test_on_postgresql_it_is_pgqueuer_where_that_is_installed(make_world, monkeypatch):
    """Without the extra it is the local one, or a refusal that names the extra."""
    store = (await make_world("local on postgresql")).store
    auto, pgqueuer = _settings("postgresql", "auto"), _settings("postgresql", "pgqueuer")
    assert isinstance(dispatcher_of(store, auto), PgQueuerDispatcher)
    assert store.review_queue.announce is not None
    assert isinstance(dispatcher_of(store, pgqueuer), PgQueuerDispatcher)
    local = replace(auto, queue=QueueSettings(dispatcher="local"))
    assert isinstance(dispatcher_of(store, local), LocalDispatcher)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert isinstance(dispatcher_of(store, auto), LocalDispatcher)
    with pytest.raises(MissingExtraError, match="'scale'"):
        dispatcher_of(store, pgqueuer)

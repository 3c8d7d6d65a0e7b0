"""Which settings need a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jules_job_manager.settings.model import Settings, StorageSettings
from jules_job_manager.settings.restarting import restart_needed

OLD = "postgresql://jjm:old@db:5432/jjm"


def _with(tmp_path, **sections) -> Settings:
    return replace(Settings(home=tmp_path), **sections)


def test_only_what_is_other_and_made_once(tmp_path):
    """The queue takes its settings as it goes; a socket that listens does not move."""
    first = Settings(home=tmp_path)
    now = replace(
        first,
        queue=replace(first.queue, concurrency=9),
        server=replace(first.server, port=9, worker=False),
        log=replace(first.log, level="debug"),
    )
    assert () == restart_needed(first, first)
    assert {"server.port", "server.worker", "log.level"} == set(restart_needed(first, now))


@pytest.mark.parametrize(("url", "is_named"), [
    (OLD, False), ("postgresql://jjm:n@w:er@db:5432/jjm", False), ("postgresql://jjm@db:5432/jjm", False),
    ("postgresql://other:old@db:5432/jjm", True), ("postgresql://jjm:old@db2:5432/jjm", True),
    ("postgresql://jjm:old@db:5432/other", True), ("", True),
])  # fmt: skip
def test_a_password_of_the_database(tmp_path, url, is_named):
    """It alone is used by the next connections."""
    first, now = (_with(tmp_path, storage=StorageSettings(database_url=u)) for u in (OLD, url))
    assert is_named == ("storage.database_url" in restart_needed(first, now))

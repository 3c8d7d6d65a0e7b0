"""A `jjm worker` that is told to read its configuration again."""

from __future__ import annotations

import asyncio
import signal

import pytest
from tests.kill_hunt import stop, with_store
from tests.kill_world import World, until

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def statuses(world) -> list[str]:
    jobs = asyncio.run(with_store(world, lambda store: store.jobs.list_jobs()))
    return [job.status.value for job in jobs]


def test_it_goes_on_with_what_it_read(tmp_path):
    """Deliveries that waited for a person are merged; what cannot be used is told and changes nothing."""
    world = World(tmp_path, jobs=1, is_counted=True)
    config = tmp_path / "home" / "config.toml"
    config.parent.mkdir()
    config.write_text('[queue]\nmerge = "ask"\n')
    with world.jules():
        world.import_backlog()
        worker = world.start("worker")
        until("a person to be asked", lambda: ["needs_you"] == statuses(world))
        config.write_text('[queue]\nmerge = "perhaps"\n')
        worker.send(signal.SIGHUP)
        until("the refusal", lambda: "the configuration stays as it was: " in worker.text)
        config.write_text(
            '[queue]\nmerge = "always"\n[notify]\nevents = ["weather"]\nurls = ["json://h"]\n'
        )
        worker.send(signal.SIGHUP)
        until("the other refusal", lambda: "goes on as before: notify.events" in worker.text)
        assert ["needs_you"] == statuses(world)
        config.write_text('[queue]\nmerge = "always"\n[log]\nlevel = "debug"\n')
        worker.send(signal.SIGHUP)
        until("the reading", lambda: "These need a restart: log.level." in worker.text)
        until("the merge", lambda: ["done"] == statuses(world))
        assert 0 == stop(worker)

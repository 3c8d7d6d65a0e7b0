"""Real processes, killed at random moments or stopped by signals: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import sqlalchemy.ext.asyncio
from tests.kill_evidence import examine
from tests.kill_hunt import (
    RUN,
    hunt_one,
    hunt_several,
    leader_of,
    program_of,
    stop,
    with_store,
)
from tests.kill_world import World, git, until
from tests.servers import postgresql

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.sql import schema

pytestmark = [pytest.mark.integration, pytest.mark.slow]
STOPPING = "Stopping after what is in hand"
GIVES_WAY = ("another worker has taken over; standing by", "the store is away")
"""The second: it stood still within a transaction, and PostgreSQL has closed its connection."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with postgresql() as found:
        if found is None:
            pytest.skip("no PostgreSQL binaries")
        yield found


@pytest.fixture
def database(address) -> str:
    """The address of a database of the test's own."""
    name = f"kill_{random.getrandbits(40):x}"

    async def make() -> None:
        engine = sa.ext.asyncio.create_async_engine(
            sa.make_url(address).set(drivername="postgresql+asyncpg"),
            isolation_level="AUTOCOMMIT",
        )
        async with engine.connect() as connection:
            await connection.execute(sa.text(f"CREATE DATABASE {name}"))
        await engine.dispose()

    asyncio.run(make())
    return sa.make_url(address).set(database=name).render_as_string(hide_password=False)


def stored(world, work):
    return asyncio.run(with_store(world, work))


def jobs_of(world):
    return stored(world, lambda store: store.jobs.list_jobs())


def reviews_in_hand(world):
    async def work(store):
        return [run for run in await store.review_queue.active() if run.state == "running"]

    return stored(world, work)


def let_the_lease_run_out(world) -> None:
    """Do to the lease what time does to that of a program that stands still."""

    async def work(store):
        async with store.engine.begin() as connection:
            await connection.execute(sa.update(schema.leases).values(until=EPOCH))

    stored(world, work)


def stand_still(program, world) -> None:
    """Stop the program where it holds no lock of the file: SQLite has nobody who would take it away."""
    for _ in range(100):
        program.send(signal.SIGSTOP)
        if world.database or _is_free(world.folder / "home" / "jjm.db"):
            return
        program.send(signal.SIGCONT)
    pytest.fail("it never stood still without a lock")


def _is_free(path) -> bool:
    connection = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


def block_pushes(world) -> None:
    """Let the remote hold every push to main until the file `go` is there."""
    hook = world.origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    folder = world.folder
    hook.write_text(
        "#!/bin/sh\nread old new ref\n[ $ref = refs/heads/main ] || exit 0\n"
        f"touch {folder}/pushing\nwhile [ ! -e {folder}/go ]; do sleep 0.05; done\n"
    )
    hook.chmod(0o755)


def test_killed_at_random_moments(tmp_path):
    """Nothing is lost and nothing is doubled, whoever is asked: Jules, git or the store."""
    world = World(tmp_path, jobs=8)
    with world.jules():
        world.import_backlog()
        told = hunt_one(world, random.Random(3), kills=10, pause=1.5)
        assert int(told["kills"]) >= 4  # a quick machine is done before there were ten
        assert "0" == told["exit code of the last run"]
        assert [] == examine(world).wrong


def test_a_leader_that_is_killed_for_good_is_replaced(tmp_path, database):
    """Within a minute another of three workers leads, and runs the review it had in hand."""
    world = World(tmp_path, jobs=6, database=database)
    with world.jules():
        world.import_backlog()
        told = hunt_several(world, random.Random(1), kills=1, pause=0.5, workers=3)
        assert 0 < float(told["seconds until it had changed a job"]) < 60
        assert 0 < float(told["seconds until these were taken over"]) < 60
        assert [] == examine(world).wrong


def test_a_leader_that_stood_still_gives_way(tmp_path, database):
    """Once another has taken over, the woken one writes nothing and stands by."""
    world = World(tmp_path, jobs=6, database=database, is_counted=True)
    with world.jules():
        world.import_backlog()
        programs = [world.start("worker", home=f"worker-{n}") for n in range(2)]
        until("work", lambda: any(job.task_id for job in jobs_of(world)))
        old = stored(world, leader_of)
        still = program_of(programs, old)
        stand_still(still, world)
        let_the_lease_run_out(world)
        new = stored(world, lambda store: leader_of(store, other_than=old))
        assert new != old
        woken = len(still.text)
        still.send(signal.SIGCONT)
        until("the woken one to give way", lambda: any(s in still.text[woken:] for s in GIVES_WAY))
        until("the jobs to be done", lambda: all(j.status.is_final for j in jobs_of(world)))
        assert '"rule": "merge"' not in still.text[woken:]
        assert new == stored(world, leader_of)
        assert [0, 0] == [stop(program) for program in programs]
        assert [] == examine(world).wrong


def test_a_run_whose_machine_slept_goes_on(tmp_path):
    """Its lease has run out, but nobody else has it."""
    world = World(tmp_path, jobs=3, is_counted=True)
    with world.jules():
        world.import_backlog()
        program = world.start(*RUN)
        until("work", lambda: any(job.task_id for job in jobs_of(world)))
        stand_still(program, world)
        let_the_lease_run_out(world)
        program.send(signal.SIGCONT)
        assert 0 == program.wait(), program.text
        assert [] == examine(world).wrong


def test_the_first_signal_puts_reviews_back(tmp_path):
    """A check that runs is ended, its review waits as if it had not begun, and the lease is free."""
    world = World(tmp_path, jobs=1, is_counted=True)
    with world.jules():
        world.import_backlog()
        program = world.start(*RUN, check=f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
        until("a review", lambda: reviews_in_hand(world))
        program.send(signal.SIGTERM)
        assert 8 == program.wait(), program.text
        [run] = stored(world, lambda store: store.review_queue.active())
        assert ("queued", "", 0) == (run.state, run.owner, run.tries)
        assert stored(world, lambda store: store.leases.current("queue")) is None
        assert 0 == world.start(*RUN).wait()
        assert [] == examine(world).wrong


def test_the_first_ctrl_c_lets_a_merge_be_finished(tmp_path):
    """The push that is in hand is not cut off, and the job is written down as done."""
    world = World(tmp_path, jobs=1, is_counted=True)
    block_pushes(world)
    with world.jules():
        world.import_backlog()
        program = world.start(*RUN)
        until("a push", (tmp_path / "pushing").exists)
        program.press_ctrl_c()
        until("the signal to be heard", lambda: STOPPING in program.text)
        assert program.runs
        (tmp_path / "go").touch()
        assert 8 == program.wait(), program.text
        assert ["done"] == [job.status.value for job in jobs_of(world)]
        assert [] == examine(world).wrong


def test_the_second_signal_ends_it_at_once(tmp_path):
    """Also in the middle of a push; the next run finds out what became of it."""
    world = World(tmp_path, jobs=1, is_counted=True)
    block_pushes(world)
    with world.jules():
        world.import_backlog()
        program = world.start(*RUN)
        until("a push", (tmp_path / "pushing").exists)
        program.send(signal.SIGTERM)
        until("the signal to be heard", lambda: STOPPING in program.text)
        program.send(signal.SIGTERM)
        assert 8 == program.wait(20), program.text
        assert "merging" == jobs_of(world)[0].status.value
        assert "" == git(world.origin, "log", "--merges", "--format=%s", "main")
        (tmp_path / "go").touch()
        assert 0 == world.start(*RUN).wait()
        assert [] == examine(world).wrong

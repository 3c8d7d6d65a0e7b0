"""What only the PgQueuer dispatcher does."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from tests.contract.dispatch.world import SOON, Worker, run_of

from jules_job_manager.adapters.storage.sql import migrate
from jules_job_manager.adapters.storage.sql.engine import transaction

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(make_world):
    return await make_world("pgqueuer on postgresql")


async def _tickets(world) -> list[str]:
    query = sa.text("SELECT dedupe_key FROM jjm_pgqueuer ORDER BY id")
    async with transaction(world.store.engine, writes=False) as connection:
        return list((await connection.execute(query)).scalars())


async def _wait_for_no_ticket(world) -> None:
    async with asyncio.timeout(SOON):
        while await _tickets(world):
            pass


async def _ours(world) -> set[str]:
    """Return what of PgQueuer's is in the database."""
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ 'pgqueuer' "
        "UNION SELECT typname FROM pg_type WHERE typtype = 'e' "
        "UNION SELECT proname FROM pg_proc WHERE proname ~ 'pgqueuer'"
    )
    async with transaction(world.store.engine, writes=False) as connection:
        return set((await connection.execute(query)).scalars())


async def test_a_ticket_is_written_with_its_run_or_not_at_all(world):
    """Both are in one transaction."""
    await world.dispatcher.enqueue(run_of(1))
    assert [run_of(1).id] == await _tickets(world)
    async with world.store.engine.connect() as connection, connection.begin() as undone:
        await connection.execute(sa.text("SELECT 1"))
        await world.dispatcher.announce(connection, "of a run that is undone")
        await undone.rollback()
    assert [run_of(1).id] == await _tickets(world)


async def test_a_run_is_added_even_when_no_ticket_can_be_written(world):
    """It is found by looking."""
    await world.dispatcher.enqueue(run_of(1))
    async with transaction(world.store.engine, writes=True) as connection:
        await connection.execute(sa.text("DROP TABLE jjm_pgqueuer"))
    assert await world.dispatcher.enqueue(run_of(2))
    assert 2 == len(await world.store.review_queue.active())


async def test_a_finished_run_leaves_no_ticket(world):
    """Whoever finished it."""
    worker = Worker(world, "w")
    async with world.working(worker):
        for number in range(3):
            await world.dispatcher.enqueue(run_of(number))
        await worker.wait_until(lambda: len(worker.done) == 3)
        await _wait_for_no_ticket(world)


async def test_a_run_that_is_cancelled_while_at_work_is_stopped_at_once(world):
    """By a notification, also from another program; its worker goes on with others."""
    # A run that is found by looking has no ticket in hand.
    worker = Worker(world, "w", may_look=False)
    worker.may_finish.clear()
    async with world.working(worker):
        await world.dispatcher.enqueue(run_of(1))
        await worker.wait_until(lambda: worker.at_once == 1)
        assert 1 == await world.make_dispatcher().cancel(["m1"])
        await worker.wait_until(lambda: worker.stopped == ["m1"])
        worker.may_finish.set()
        await world.dispatcher.enqueue(run_of(2))
        await worker.wait_until(lambda: worker.done == ["m2"])
        await _wait_for_no_ticket(world)


async def test_a_ticket_waits_for_a_run_that_is_put_back(world):
    """It comes again when the run is due again."""
    worker = Worker(world, "w")
    queue = world.store.review_queue
    await world.dispatcher.enqueue(run_of(1))
    taken = await queue.claim("somebody else", seconds=60)
    async with world.working(worker):
        assert await queue.put_back(taken, seconds=1, error="git failed", failed=False)
        await worker.wait_until(lambda: worker.done == ["m1"])


async def test_many_workers_that_begin_at_once_install_it_once(world):
    """None of them fails, whatever the environment says about names."""
    before = await _ours(world)
    await asyncio.gather(*(world.make_dispatcher().enqueue(run_of(n)) for n in range(5)))
    assert 5 == len(await _tickets(world))
    assert set() == before
    assert {
        "jjm_pgqueuer", "jjm_pgqueuer_log", "jjm_pgqueuer_schedules", "jjm_pgqueuer_statistics",
        "jjm_pgqueuer_status", "jjm_fn_pgqueuer_changed",
    } == await _ours(world)  # fmt: skip


async def test_its_names_do_not_come_from_the_environment(world, monkeypatch):
    """PgQueuer reads variables with names as plain as CHANNEL and TRIGGER."""
    for name in ("CHANNEL", "TRIGGER", "PGQUEUER_QUEUE_TABLE", "PGQUEUER_PREFIX", "DURABILITY"):
        monkeypatch.setenv(name, "surprise")
    worker = Worker(world, "w")
    async with world.working(worker):
        await world.dispatcher.enqueue(run_of(1))
        await worker.wait_until(lambda: worker.done == ["m1"])
    assert "jjm_pgqueuer" in await _ours(world)


async def test_the_schema_taken_back_takes_it_along(world):
    """Nothing of PgQueuer stays."""
    await world.dispatcher.enqueue(run_of(1))
    await migrate.downgrade(world.store.engine, "base")
    assert set() == await _ours(world)

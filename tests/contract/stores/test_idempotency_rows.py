"""Answers kept for repeated requests."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from tests.clocks import FakeClock

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.idempotency_rows import SqlIdempotencyStore
from jules_job_manager.ports.idempotency_store import Claim, KeptAnswer

pytestmark = pytest.mark.integration

ANSWER = KeptAnswer(status=201, headers=(("content-type", "a/b"), ("x", "y")), body=b'{"\x00\xff')


async def claim(store, token="t", **more):
    values = {"fingerprint": "f", "token": token, "lease_seconds": 60.0, "keep_seconds": 3600.0}
    return await store.claim("ada", "k", **{**values, **more})


async def test_the_answer_comes_back(sql_store):
    """First a claim, then others wait, then everybody gets the very answer."""
    store = sql_store.idempotency
    assert Claim(outcome="claimed") == await claim(store)
    assert Claim(outcome="running") == await claim(store, "t2")
    assert Claim(outcome="other") == await claim(store, "t2", fingerprint="g")
    assert await store.renew("ada", "k", token="t", lease_seconds=60)
    assert await store.answer("ada", "k", token="t", answer=ANSWER)
    assert Claim(outcome="answered", answer=ANSWER) == await claim(store, "t2")
    assert Claim(outcome="other") == await claim(store, "t2", fingerprint="g")
    assert not await store.answer("ada", "k", token="t", answer=ANSWER)


async def test_of_many_one_works(sql_store):
    """Requests that come at the same time are done once."""
    found = await asyncio.gather(*(claim(sql_store.idempotency, f"t{n}") for n in range(8)))
    assert ["claimed"] + ["running"] * 7 == sorted(one.outcome for one in found)


async def test_keys_belong_to_their_owner(sql_store):
    """Another's key of the same name is another key."""
    store = sql_store.idempotency
    await claim(store)
    other = await store.claim(
        "bob", "k", fingerprint="g", token="t", lease_seconds=1, keep_seconds=1
    )
    assert "claimed" == other.outcome


async def test_what_was_not_done_may_be_tried_at_once(sql_store):
    """A claim is given back by who has it, and an answer stays."""
    store = sql_store.idempotency
    await claim(store)
    await store.release("ada", "k", token="other")
    assert "running" == (await claim(store, "t2")).outcome
    await store.release("ada", "k", token="t")
    assert "claimed" == (await claim(store, "t2")).outcome
    await store.answer("ada", "k", token="t2", answer=ANSWER)
    await store.release("ada", "k", token="t2")
    assert "answered" == (await claim(store, "t3")).outcome


async def _let_pass(sql_store, column: str) -> None:
    """Put a moment of every row into the past, as time does."""
    async with transaction(sql_store.engine, writes=True) as connection:
        change = sa.update(schema.idempotent_requests).values({column: EPOCH})
        await connection.execute(change)


async def test_a_dead_server_blocks_nobody_for_long(sql_store):
    """Once the lease is over the next try has it, and the first one's late answer is not kept."""
    store = sql_store.idempotency
    await claim(store)
    await _let_pass(sql_store, "leased_until")
    assert Claim(outcome="claimed", is_again=True) == await claim(store, "t2")
    assert not await store.renew("ada", "k", token="t", lease_seconds=60)
    assert not await store.answer("ada", "k", token="t", answer=ANSWER)
    assert "running" == (await claim(store, "t3")).outcome
    assert await store.renew("ada", "k", token="t2", lease_seconds=0)
    assert Claim(outcome="claimed", is_again=True) == await claim(store, "t3")


async def test_answers_are_forgotten(sql_store):
    """After the time they are kept the key is new, swept or not."""
    store = sql_store.idempotency
    await claim(store)
    await store.answer("ada", "k", token="t", answer=ANSWER)
    assert 0 == await store.sweep()
    await _let_pass(sql_store, "kept_until")
    assert "claimed" == (await claim(store, "t2", fingerprint="g")).outcome
    await _let_pass(sql_store, "kept_until")
    assert 1 == await store.sweep()
    assert "claimed" == (await claim(store, "t3")).outcome


async def test_times_are_those_of_the_clock_given(make_arguments, sql_store, sql_arguments):
    """SQLite has no clock of its own: leases last as long as the one that was handed over says."""
    if sql_arguments["kind"] == "sqlite":
        clock = FakeClock()
        store = SqlIdempotencyStore(sql_store.engine, clock)
        await claim(store)
        clock.advance(59)
        assert "running" == (await claim(store, "t2")).outcome
        clock.advance(1)
        assert "claimed" == (await claim(store, "t2")).outcome

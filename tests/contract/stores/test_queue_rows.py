"""The contract of what the queue keeps beside its jobs: leases, the quota ledger, review runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import Review, Verdict
from jules_job_manager.errors import LeaseLostError, StoreError, UnsupportedOperationError
from jules_job_manager.ports.quota_ledger import LedgerEntry
from jules_job_manager.ports.review_queue import ReviewRun

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
JOB = Job(key="a", prompt="p", status=JobStatus.READY)
RUN = ReviewRun(job_key="a", mark="m", delivered_commit="d", branch="b", base_commit="c")


async def test_a_lease_has_one_owner(sql_store):
    """It is renewed by its owner, refused to others, and free when given back or expired."""
    leases = sql_store.leases
    assert await leases.current("queue") is None
    mine = await leases.acquire("queue", "one", seconds=60)
    assert ("one", 1) == (mine.owner, mine.token)
    assert await leases.acquire("queue", "two", seconds=60) is None
    again = await leases.acquire("queue", "one", seconds=60)
    assert 1 == again.token
    assert (await leases.renew(mine, seconds=60)).until >= mine.until
    await leases.release(mine)
    taken = await leases.acquire("queue", "two", seconds=0)
    assert 2 == taken.token
    assert await leases.renew(mine, seconds=60) is None
    await leases.release(mine)
    assert "two" == (await leases.current("queue")).owner
    assert 3 == (await leases.acquire("queue", "three", seconds=60)).token
    assert 4 == (await leases.acquire("queue", "four", seconds=60, steal=True)).token


async def test_of_many_that_ask_at_once_one_gets_it(sql_store):
    """The database decides."""
    asked = [sql_store.leases.acquire("queue", f"w{n}", seconds=60) for n in range(8)]
    got = [lease for lease in await asyncio.gather(*asked) if lease is not None]
    assert 1 == len(got)


async def test_who_lost_the_lease_writes_nothing(sql_store):
    """Every fenced write checks the lease in its own transaction."""
    await sql_store.jobs.save_jobs([JOB])
    mine = await sql_store.leases.acquire("queue", "one", seconds=60)
    jobs = sql_store.jobs.fenced(mine)
    running = replace(JOB, status=JobStatus.RUNNING)
    assert await jobs.swap_jobs({"a": JOB}, [running])
    await sql_store.leases.acquire("queue", "two", seconds=60, steal=True)
    event = NewEvent(type=EventType.MERGED, subject="job:a", at=NOW, data={})
    for write in (
        jobs.swap_jobs({"a": running}, [JOB], events=[event]),
        jobs.save_jobs([JOB], [event]),
        jobs.save_attempt(Attempt(mark="m", job_key="a", number=1), events=[event]),
        jobs.delete_jobs(["a"], [event]),
    ):
        with pytest.raises(LeaseLostError):
            await write
    assert [running] == list(await jobs.list_jobs())
    assert [] == list(await sql_store.events.read())
    assert [] == list(await jobs.list_attempts())


async def test_an_expired_lease_is_lost_though_nobody_took_it(sql_store):
    """Time alone ends it: its holder may have been stopped for long."""
    mine = await sql_store.leases.acquire("queue", "one", seconds=0)
    with pytest.raises(LeaseLostError):
        await sql_store.jobs.fenced(mine).save_jobs([JOB])


async def test_the_ledger_is_written_with_the_attempt(sql_store):
    """Both or neither; one start for each mark; refusals are kept beside them."""
    attempt = Attempt(mark="m", job_key="a", number=1, created_at=NOW)
    start = LedgerEntry(account="default", kind="start", at=NOW, mark="m")
    await sql_store.jobs.save_jobs([JOB])
    stale = replace(JOB, status=JobStatus.DONE)
    assert not await sql_store.jobs.swap_jobs(
        {"a": stale}, [JOB], attempts=[attempt], starts=[start]
    )
    assert [] == list(await sql_store.ledger.read(since=NOW - timedelta(days=1)))
    assert await sql_store.jobs.swap_jobs({"a": JOB}, [JOB], attempts=[attempt], starts=[start])
    refusal = LedgerEntry(
        account="default", kind="refusal", at=NOW, until=NOW + timedelta(minutes=1)
    )
    await sql_store.ledger.append([start, refusal, refusal])
    assert [start, refusal, refusal] == list(await sql_store.ledger.read(since=NOW))
    assert [] == list(await sql_store.ledger.read(since=NOW + timedelta(seconds=1)))


async def test_attempts_side_by_side_have_lanes(sql_store):
    """One live attempt in each lane, and a replaced one makes room."""
    await sql_store.jobs.save_jobs([replace(JOB, best_of=2)])
    first = Attempt(mark="m1", job_key="a", number=1, lane=0)
    await sql_store.jobs.save_attempt(first)
    await sql_store.jobs.save_attempt(replace(first, mark="m2", number=2, lane=1))
    with pytest.raises(StoreError):
        await sql_store.jobs.save_attempt(replace(first, mark="m3", number=3, lane=1))
    await sql_store.jobs.save_attempt(replace(first, state=AttemptState.REPLACED))
    await sql_store.jobs.save_attempt(replace(first, mark="m4", number=4, carries="m1"))
    live = await sql_store.jobs.list_attempts("a", live_only=True)
    assert {("m2", 1, ""), ("m4", 0, "m1")} == {(a.mark, a.lane, a.carries) for a in live}


async def test_a_review_is_claimed_by_one_worker(sql_store):
    """Once, until it is finished or its worker dies; then its review is kept and the run is gone."""
    await sql_store.jobs.save_jobs([JOB])
    queue = sql_store.review_queue
    assert await queue.enqueue(RUN)
    assert not await queue.enqueue(RUN)
    claims = await asyncio.gather(*(queue.claim(f"w{n}", seconds=60) for n in range(4)))
    [mine] = [run for run in claims if run is not None]
    assert ("running", 1) == (mine.state, mine.tries)
    assert await queue.keep(mine, seconds=60)
    review = Review(
        job_key="a", mark="m", delivered_commit="d", base_commit="c", verdict=Verdict.ACCEPT, at=NOW
    )
    event = NewEvent(type=EventType.REVIEW_FINISHED, subject="job:a", at=NOW, data={})
    assert not await queue.finish(replace(mine, owner="somebody else"), [review], [event])
    assert [] == list(await sql_store.jobs.list_reviews("a"))
    assert await queue.finish(mine, [review], [event])
    assert [review] == list(await sql_store.jobs.list_reviews("a"))
    assert 1 == len(await sql_store.events.read())
    assert not await queue.finish(mine, [review], [event])
    assert 1 == len(await sql_store.events.read())


async def test_one_review_may_be_claimed_by_its_id(sql_store):
    """That one and no other; and it says in how long it may be claimed."""
    await sql_store.jobs.save_jobs([JOB])
    queue = sql_store.review_queue
    other = replace(RUN, mark="n")
    await queue.enqueue(RUN)
    await queue.enqueue(other)
    assert 0 == await queue.due_in(other.id)
    mine = await queue.claim("w", seconds=60, run_id=other.id)
    assert "n" == mine.mark
    assert 50 < await queue.due_in(other.id) <= 60
    assert await queue.claim("w2", seconds=60, run_id=other.id) is None
    await queue.put_back(mine, seconds=0, error="git failed", failed=True)
    assert await queue.due_in(other.id) is None
    assert await queue.due_in("unknown") is None
    assert "m" == (await queue.claim("w2", seconds=60)).mark


async def test_the_review_of_a_dead_worker_is_begun_again(sql_store):
    """And the dead one, should it come back, is not listened to."""
    await sql_store.jobs.save_jobs([JOB])
    queue = sql_store.review_queue
    await queue.enqueue(RUN)
    dead = await queue.claim("dead", seconds=0)
    alive = await queue.claim("alive", seconds=60)
    assert ("alive", 1) == (alive.owner, alive.tries)
    assert not await queue.keep(dead, seconds=60)
    assert not await queue.put_back(dead, seconds=0, error="late", failed=True)
    assert await queue.put_back(alive, seconds=0, error="git failed", failed=False)
    again = await queue.claim("alive", seconds=60)
    assert (2, "git failed") == (again.tries, again.error)
    assert await queue.put_back(again, seconds=0, error="", failed=False)
    again = await queue.claim("third", seconds=60)
    assert 2 == again.tries
    await queue.put_back(again, seconds=0, error="git failed", failed=True)
    assert await queue.claim("alive", seconds=60) is None
    assert ["failed"] == [run.state for run in await queue.active()]
    newer = replace(RUN, delivered_commit="d2")
    assert await queue.enqueue(newer)
    assert ["d2"] == [run.delivered_commit for run in await queue.active()]
    assert 1 == await queue.remove(["m"])


async def test_a_json_file_has_no_queue(make_arguments):
    """It says so in one sentence."""
    store = await open_store(**await make_arguments("json"))
    for name in ("jobs", "leases", "ledger", "review_queue"):
        with pytest.raises(UnsupportedOperationError, match="needs a database"):
            getattr(store, name)
    await store.aclose()

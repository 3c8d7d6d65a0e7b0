"""Webhooks from the event log to a receiver on a real socket."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.contract.stores.filling import event
from tests.integration.webhooks.receiver import answer, receiver
from tests.waiting import until

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.webhook import RETRY_AFTER, DeliveryState
from jules_job_manager.errors import InvalidInputError, StoreUnavailableError
from jules_job_manager.services.webhook_delivery import LEASE_SECONDS
from jules_job_manager.services.webhooks import EndpointChange

pytestmark = pytest.mark.integration


@pytest.fixture
def here(world):
    return world


async def look(worker) -> bool:
    """Let a worker look once and end what it began; return whether it began anything."""
    async with asyncio.TaskGroup() as group:
        return await worker.look(group)


def numbers(there) -> list[int]:
    return [json.loads(one.body)["data"]["data"].get("n") for one in there.got]


async def test_what_is_wanted_is_sent_and_signed(here):
    """From now on, with headers that the library's own check accepts."""
    here.clock = here.webhooks._clock = SystemClock()  # the check looks at the time
    async with receiver() as there:
        await here.write(1)
        endpoint = await here.webhooks.create(there.url, subjects=["task:*"])
        await here.write(2, 3)
        await here.store.webhooks.save_endpoint(replace(endpoint, types=("t",)), [])
        worker = here.worker()
        while await look(worker):
            pass
        assert [2, 3] == sorted(numbers(there))
    for one in there.got:
        Webhook(endpoint.secret).verify(one.body, one.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint.secret).verify(one.body + " ", one.headers)
    assert ["delivered"] * 2 == await here.states()
    last = (await here.webhooks.deliveries())[0]
    assert (204, 1, "msg_1_4") == (last.status, last.tries, last.message_id)


async def test_retries_with_one_id_until_it_is_taken(here):
    """Each later than the one before; the log says what was answered."""
    async with receiver(answer(500, b"down"), answer(503), answer(200)) as there:
        await here.webhooks.create(there.url)
        await here.write(1)
        worker = here.worker()
        # What it made, an event of its own, is sent first.
        assert await look(worker)
        found = await here.webhooks.deliveries(state=DeliveryState.PENDING)
        for _ in range(len(RETRY_AFTER)):
            here.clock.advance(RETRY_AFTER[0] if not found else 60)
            await look(worker)
            found = await here.webhooks.deliveries(state=DeliveryState.PENDING)
        assert not found
        ids = [one.headers["webhook-id"] for one in there.got]
        assert len(set(ids)) < len(ids)
        assert {"delivered"} == set(await here.states())
        assert (await here.webhooks.list())[0].failing_since is None


async def test_giving_up_and_disabling(here):
    """After all its tries a delivery has failed; after days of that the endpoint is disabled."""
    async with receiver(answer(500, b"no")) as there:
        endpoint = await here.webhooks.create(there.url)
        await here.write(1)
        worker = here.worker()
        for seconds in (0, *RETRY_AFTER):
            here.clock.advance(seconds)
            await look(worker)
        found = await here.webhooks.deliveries()
        assert {("failed", 9, 500, "no")} == {
            (one.state.value, one.tries, one.status, one.answer) for one in found
        }
        assert (await here.webhooks.get(endpoint.id)).enabled
        here.clock.advance(timedelta(days=5).total_seconds())
        await here.write(2)
        await look(worker)
        gone = await here.webhooks.get(endpoint.id)
        assert (False, "it took nothing for 5 days") == (gone.enabled, gone.disabled_reason)
        told = await here.store.events.read(type="webhook_disabled")
        assert [f"webhook:{endpoint.id}"] == [one.subject for one in told]
        before = len(there.got)
        await here.write(3)
        here.clock.advance(100_000)
        await look(worker)
        assert before == len(there.got)
        there.answers = [answer(200)]
        await here.webhooks.update(endpoint.id, EndpointChange(enabled=True))
        while await look(worker):
            pass
        assert {2, 3} <= set(numbers(there)[before:]), "what was missed is sent now"


async def test_410_disables_at_once(here):
    """The endpoint says that it wants nothing more."""
    async with receiver(answer(410)) as there:
        endpoint = await here.webhooks.create(there.url)
        await here.write(1)
        await look(here.worker())
        assert not (await here.webhooks.get(endpoint.id)).enabled
        await here.webhooks.update(endpoint.id, EndpointChange(enabled=True, skip_missed=True))
        newest = await here.store.events.last_id()
        assert newest == (await here.webhooks.get(endpoint.id)).cursor


async def test_a_restart_loses_nothing(here):
    """A worker that is killed between sending and noting it sends again; another goes on."""
    async with receiver() as there:
        await here.webhooks.create(there.url, subjects=["task:1", "task:2"])
        await here.write(1, 2)
        first = here.worker("first", store=here.dying(KeyError("killed")))
        with pytest.raises(ExceptionGroup):
            await look(first)
        assert there.got
        second = here.worker("second")
        assert not await look(second), "the lease of the dead one still holds"
        here.clock.advance(LEASE_SECONDS + 1)
        await look(second)
        assert {1, 2} == set(numbers(there))
        assert len(there.got) > 2
        by_id = {one.headers["webhook-id"]: one.body for one in there.got}
        assert 2 == len(by_id), "the receiver knows by the id that it has it already"
        assert ["delivered"] * 2 == await here.states()


async def test_a_store_that_is_away_stops_nothing(here, caplog):
    """The worker waits, says so, and goes on."""
    async with receiver() as there:
        await here.webhooks.create(there.url, subjects=["task:1"])
        await here.write(1)
        store = here.dying(StoreUnavailableError("away"))
        worker = here.worker(store=store)
        running = asyncio.create_task(worker.run())
        await until(lambda: "Webhooks wait: away" in caplog.text)
        store.failure = None
        await worker._bus.publish([event(1)])
        await until(lambda: len(there.got) > 1)
        worker.stop()
        await running
    assert ["delivered"] == await here.states()


async def test_one_worker_at_a_time(here):
    """The other does nothing while the first has the lease."""
    async with receiver() as there:
        await here.webhooks.create(there.url, subjects=["task:1"])
        await here.write(1)
        first, second = here.worker("first"), here.worker("second")
        assert await look(first)
        assert not await look(first)
        await here.write(1)
        assert not await look(second)
        assert await look(first)
        assert [1, 1] == numbers(there)


async def test_a_slow_endpoint_leaves_room_for_others(here):
    """No endpoint takes more than its share of a round."""
    async with receiver() as busy, receiver() as calm:
        await here.webhooks.create(busy.url, subjects=["task:*"])
        await here.webhooks.create(calm.url, subjects=["task:1"])
        await here.write(*range(40), 1)
        await look(here.worker())
        assert 4 == len(busy.got)
        assert [1, 1] == numbers(calm)


async def test_replaying(here):
    """One delivery, or all since a time, those too from before the endpoint was there."""
    async with receiver() as there:
        await here.write(1)
        endpoint = await here.webhooks.create(there.url, subjects=["task:*"])
        await here.write(2)
        worker = here.worker()
        while await look(worker):
            pass
        assert [2] == numbers(there)
        await here.webhooks.replay((await here.webhooks.deliveries())[0].id)
        while await look(worker):
            pass
        assert [2, 2] == numbers(there)
        assert 1 == len({one.headers["webhook-id"] for one in there.got})
        since = (await here.store.events.read())[0].at
        assert 2 == await here.webhooks.replay_since(endpoint.id, since)
        assert 0 == await here.webhooks.replay_since(endpoint.id, since + timedelta(seconds=1))
        while await look(worker):
            pass
        assert [1, 2] == sorted(numbers(there)[2:])


async def test_a_new_secret(here):
    """Messages are signed with both for a day, then with the new one alone."""
    here.clock = here.webhooks._clock = SystemClock()
    async with receiver() as there:
        endpoint = await here.webhooks.create(there.url)
        rotated = await here.webhooks.rotate_secret(endpoint.id)
        assert endpoint.secret != rotated.secret
        assert (await here.webhooks.test(endpoint.id)).was_taken
        for secret in (endpoint.secret, rotated.secret):
            Webhook(secret).verify(there.got[0].body, there.got[0].headers)
        await here.webhooks.rotate_secret(endpoint.id, keep_old=timedelta(0))
        assert (await here.webhooks.test(endpoint.id)).was_taken
        with pytest.raises(WebhookVerificationError):
            Webhook(rotated.secret).verify(there.got[1].body, there.got[1].headers)


async def test_no_secret_gets_into_events(here):
    """What is done to endpoints is told, without what must not be told."""
    endpoint = await here.webhooks.create("https://example.org/x", description="d")
    await here.webhooks.update(endpoint.id, EndpointChange(url="https://example.org/y", types=["merged"], subjects=[], description="e", enabled=False))  # fmt: skip
    await here.webhooks.rotate_secret(endpoint.id)
    await here.webhooks.delete(endpoint.id)
    told = await here.store.events.read(subject=f"webhook:{endpoint.id}")
    assert ["webhook_created", "webhook_changed", "webhook_changed", "webhook_deleted"] == [
        one.type for one in told
    ]
    assert "whsec" not in json.dumps([one.to_dict() for one in told])


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("https://10.1.2.3/x", {}, "10.1.2.3 is 10.1.2.3, an address inside the network"),
        ("https://[::1]/x", {}, "inside the network"),
        ("https://0xa000001/x", {}, "10.0.0.1, an address inside the network"),
        ("http://1.1.1.1/x", {}, "unencrypted; use https"),
        ("https://x.example", {"types": ["mergd"]}, "no events of the type 'mergd'"),
        ("https://x.example", {"subjects": ["zzz"]}, "No event is about 'zzz'"),
        ("https://x.example", {"subjects": ["zzz*"]}, "No event is about"),
        ("https://x.example", {"subjects": ["ta"]}, "No event is about"),
    ],
)
async def test_what_could_never_work(here, url, more, said):
    """It is refused when it is made and when it is changed, and tried for nobody's sake."""
    with pytest.raises(InvalidInputError, match=re.escape(said)) as caught:
        await here.webhooks.create(url, **more)
    if "types" in more:
        assert "merged" in caught.value.hint
    with pytest.raises(InvalidInputError, match=re.escape(said)):
        await here.webhooks.check(url, more.get("types", ()), more.get("subjects", ()))
    made = await here.webhooks.create("https://x.example")
    with pytest.raises(InvalidInputError, match=re.escape(said)):
        await here.webhooks.update(made.id, EndpointChange(url=url, **more))


async def test_what_may_work(here):
    """What is allowed, names that are asked for when something is sent, and beginnings of subjects."""
    subjects = [
        "*",
        "t*",
        "job:*",
        "job:Task 1",
        "queue",
        "queue*",
        "alert:x",
        "backlog:b",
        "webhook:w",
    ]
    for url in (
        "http://127.0.0.1:9/x",
        "https://localhost/x",
        "https://1.1.1.1",
        "https://x.example",
    ):
        await here.webhooks.create(url, types=["merged"], subjects=subjects)


async def test_what_is_refused(here):
    """Each in a sentence."""
    for url, more in {"ftp://x": {}, "https://x": {"types": [""]}, "https://y": {"subjects": ["x"] * 99}}.items():  # fmt: skip
        with pytest.raises(InvalidInputError):
            await here.webhooks.create(url, **more)
    for call in (
        here.webhooks.get("we_9"), here.webhooks.delete("we_9"), here.webhooks.test("we_9"), here.webhooks.replay(9),
        here.webhooks.deliveries("we_9"), here.webhooks.update("we_9", EndpointChange()),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError, match="There is no"):
            await call


async def test_the_worker_runs_until_it_is_stopped(here):
    """It is woken by the bus, delivers, and gives its lease back."""
    async with receiver() as there:
        await here.webhooks.create(there.url, subjects=["task:1"])
        worker = here.worker()
        running = asyncio.create_task(worker.run())
        await here.write(1)
        await worker._bus.publish([event(1)])
        await until(lambda: there.got)
        worker.stop()
        async with asyncio.timeout(20):
            await running
    current = await here.store.leases.current("webhooks")
    assert current is None


async def test_what_is_due_at_the_end_is_sent(here):
    """All of it, round after round; then another program may deliver."""
    async with receiver() as there:
        await here.webhooks.create(there.url, subjects=["task:*"])
        await here.write(*range(9))
        await here.worker().finish(30)
        assert list(range(9)) == sorted(numbers(there))
        await here.write(10)
        assert await look(here.worker("other"))


async def test_the_end_does_not_wait_for_a_silent_receiver(here, caplog):
    """What it did not take is tried by the next program."""
    async with receiver(b"never") as there:
        await here.webhooks.create(there.url, subjects=["task:*"])
        await here.write(1)
        await here.worker().finish(0.2)
        assert "not all were taken within 0.2 s" in caplog.text
        assert ["pending"] == await here.states()
        there.answers = [answer(204)]
        assert await look(here.worker("other"))
        assert ["delivered"] == await here.states()

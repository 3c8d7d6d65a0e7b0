"""Endpoints and deliveries of webhooks, on every store that keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.stores.filling import NOW, event

from jules_job_manager.adapters.storage.moving import Place, move
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.webhook import DeliveryState, WebhookEndpoint
from jules_job_manager.errors import UnsupportedOperationError

pytestmark = pytest.mark.integration
ENDPOINT = WebhookEndpoint(
    id="we_1", url="https://h", created_at=NOW, description="d\0", types=("a", "b"), subjects=("task:*",),
    secret="whsec_x", old_secret="whsec_y", old_secret_until=NOW, cursor=3,
)  # fmt: skip


async def make(store, *, count=3, **more):
    kept = store.webhooks
    endpoint = replace(ENDPOINT, **more)
    await kept.save_endpoint(endpoint, [event(100)])
    events = await store.events.append([event(n) for n in range(count)])
    assert count == await kept.add_deliveries(endpoint.id, events, cursor=events[-1].id, now=NOW)
    return kept, events


async def test_endpoints(sql_store):
    """They read as they were written; what others change at the same time stays."""
    kept, events = await make(sql_store)
    found = await kept.get_endpoint("we_1")
    assert replace(ENDPOINT, description="d␀", cursor=events[-1].id) == found
    await kept.save_endpoint(replace(ENDPOINT, url="https://i", cursor=0))
    assert events[-1].id == (await kept.get_endpoint("we_1")).cursor, "a cursor never goes back"
    await kept.set_health("we_1", failing_since=NOW)
    changed = await kept.get_endpoint("we_1")
    assert (True, NOW, "https://i") == (changed.enabled, changed.failing_since, changed.url)
    await kept.set_health("we_1", failing_since=NOW, disabled_reason="gone", events=[event(101)])
    changed = await kept.get_endpoint("we_1")
    assert (False, "gone") == (changed.enabled, changed.disabled_reason)
    assert [changed] == list(await kept.list_endpoints())
    assert await kept.get_endpoint("we_2") is None
    assert await kept.delete_endpoint("we_1", [event(102)])
    assert not await kept.delete_endpoint("we_1", [event(103)])
    assert [] == list(await kept.list_deliveries()), "deliveries go with their endpoint"
    await kept.set_health("we_1", failing_since=None, disabled_reason="x", events=[event(104)])
    numbers = [one.data["n"] for one in await sql_store.events.read()]
    assert [100, 0, 1, 2, 101, 102] == numbers


async def test_an_event_becomes_one_delivery(sql_store):
    """Repeated after a crash, it makes no second one, and the cursor only goes forward."""
    kept, events = await make(sql_store)
    assert 0 == await kept.add_deliveries("we_1", events, cursor=1, now=NOW)
    assert events[-1].id == (await kept.get_endpoint("we_1")).cursor
    assert 0 == await kept.add_deliveries("we_2", events, cursor=1, now=NOW)
    found = await kept.list_deliveries()
    assert [e.id for e in reversed(events)] == [one.event_id for one in found]
    assert found[1] == await kept.get_delivery(found[1].id)
    assert await kept.get_delivery(10**6) is None


async def test_what_is_due(sql_store):
    """Some of each endpoint, the longest due first, and none of a disabled one."""
    kept, _ = await make(sql_store, count=5)
    await make(sql_store, id="we_2", count=2)
    due = await kept.due(now=NOW, each=3, limit=100)
    assert ["we_1"] * 3 + ["we_2"] * 2 == sorted(one.endpoint_id for one in due)
    assert 2 == len(await kept.due(now=NOW, each=3, limit=2))
    assert [] == list(await kept.due(now=NOW - timedelta(seconds=1), each=3, limit=9))
    assert await kept.next_due(after=NOW - timedelta(seconds=1)) == NOW
    assert await kept.next_due(after=NOW) is None
    await kept.set_health("we_1", failing_since=NOW, disabled_reason="x")
    assert {"we_2"} == {one.endpoint_id for one in await kept.due(now=NOW, each=3, limit=100)}
    for one in await kept.due(now=NOW, each=3, limit=100):
        await kept.save_delivery(
            replace(one, state=DeliveryState.DELIVERED, finished_at=NOW, status=200, latency_ms=5,
                    tries=1, answer="\0", error="e")
        )  # fmt: skip
    assert await kept.next_due(after=NOW - timedelta(seconds=1)) is None
    done = await kept.list_deliveries(state=DeliveryState.DELIVERED)
    assert [(200, 5, 1, "\0", "e")] * 2 == [
        (one.status, one.latency_ms, one.tries, one.answer, one.error) for one in done
    ]
    assert 5 == len(await kept.list_deliveries(endpoint_id="we_1"))
    assert 4 == len(await kept.list_deliveries(endpoint_id="we_1", before_id=5))


async def test_what_is_due_beside_what_is_in_hand(sql_store):
    """It comes from each endpoint in turn, and what is being sent is part of the share of its endpoint."""
    kept, _ = await make(sql_store, count=5)
    await make(sql_store, id="we_2", count=2)

    async def due(each: int, *in_hand: int, limit: int = 100) -> list[int]:
        found = await kept.due(now=NOW, each=each, limit=limit, in_hand=in_hand)
        return [one.id for one in found]

    assert [1, 6, 2, 7, 3] == await due(3)
    assert [1, 6] == await due(3, limit=2)
    assert [6, 2, 7, 3] == await due(3, 1)
    assert [6, 7, 1] == await due(3, 4, 5)
    assert [6, 7] == await due(3, 3, 4, 5), "a share that is used up, by whichever of its own"
    assert [6] == await due(1, 1)
    assert [] == await due(9, *range(1, 8))
    first = await kept.get_delivery(1)
    await kept.save_delivery(replace(first, state=DeliveryState.DELIVERED, finished_at=NOW))
    assert [6, 2, 7] == await due(2, 1), "it is in hand until its worker lets it go"


async def test_sending_again_and_forgetting(sql_store):
    """A delivery that ended begins anew; one that ended long ago is forgotten."""
    kept, events = await make(sql_store)
    for one in await kept.list_deliveries():
        await kept.save_delivery(replace(one, state=DeliveryState.FAILED, finished_at=NOW, tries=9))
    assert 1 == await kept.send_again("we_1", [events[0].id, 10**6], now=NOW)
    due = await kept.due(now=NOW, each=9, limit=9)
    assert [(events[0].id, 0)] == [(one.event_id, one.tries) for one in due]
    assert 0 == await kept.forget_delivered(before=NOW)
    assert 2 == await kept.forget_delivered(before=NOW + timedelta(seconds=1))
    assert 1 == len(await kept.list_deliveries())


async def test_a_json_file_keeps_none(tmp_path, make_arguments):
    """It says so."""
    store = await open_store(**await make_arguments("json"))
    with pytest.raises(UnsupportedOperationError):
        _ = store.webhooks


async def test_endpoints_move_with_everything_else(sql_arguments, make_arguments):
    """Endpoints and deliveries arrive, and new deliveries get ids of their own."""
    store = await open_store(**sql_arguments)
    await make(store)
    await store.aclose()

    def place(arguments) -> Place:
        is_file = arguments["kind"] == "sqlite"
        address = str(arguments["data_path"]) if is_file else arguments["database_url"]
        return Place(kind=arguments["kind"], address=address)

    other = await make_arguments(sql_arguments["kind"])
    sent = await move(
        place(sql_arguments), place(other), clock=SystemClock(), report=lambda _: None
    )
    assert (1, 3) == (sent["webhook_endpoints"].count, sent["webhook_deliveries"].count)
    moved = await open_store(**other)
    events = await moved.events.append([event(50)])
    assert 1 == await moved.webhooks.add_deliveries("we_1", events, cursor=99, now=NOW)
    assert 4 == len(await moved.webhooks.list_deliveries())
    await moved.aclose()

"""Endpoints beside one another: none waits for another, and none takes more than its share."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest
from tests.integration.webhooks.world import World
from tests.waiting import until

from jules_job_manager.domain.webhook import DeliveryState
from jules_job_manager.errors import StoreUnavailableError
from jules_job_manager.ports.webhook_sender import SendResult
from jules_job_manager.services.webhook_delivery import LEASE_SECONDS, DeliveryPolicy

pytestmark = pytest.mark.integration
GOOD, SLOW = "https://good.example.org/", "https://slow.example.org/"


class GatedSender:
    """Answers at once, but for addresses with `slow` in them: those when it is let go on."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.is_open = False
        self._held: list[asyncio.Event] = []
        self.begun: list[tuple[str, int]] = []
        self.ended: list[tuple[str, int]] = []
        self.most: Counter[str] = Counter()
        self._in_hand: Counter[str] = Counter()

    async def send(self, url, *, body, headers) -> SendResult:
        del headers
        message = (url, json.loads(body)["data"]["data"]["n"])
        self.begun.append(message)
        self._in_hand[url] += 1
        self.most[url] = max(self.most[url], self._in_hand[url])
        self.most["all"] = max(self.most["all"], self._in_hand.total())
        if "slow" in url and not self.is_open:
            self._held.append(asyncio.Event())
            await self._held[-1].wait()
        self._in_hand[url] -= 1
        self.ended.append(message)
        return SendResult(status=self.status, latency_ms=1)

    async def aclose(self) -> None:
        """Do nothing."""

    def let_one_go(self) -> None:
        self._held.pop(0).set()

    def open(self) -> None:
        self.is_open = True
        while self._held:
            self.let_one_go()

    def count(self, url: str) -> int:
        return sum(one == url for one, _ in self.ended)


class SilentBus:
    """Hints only when it is told to, so that nothing is looked at by itself."""

    def __init__(self) -> None:
        self.heard = lambda: None

    async def listen(self, heard) -> None:
        self.heard = heard
        await asyncio.Event().wait()


@pytest.fixture
def gated():
    return GatedSender()


@pytest.fixture
async def here(world, gated):
    """A store in which 40 events are to go to a good and to a slow receiver."""
    await world.webhooks.create(SLOW, subjects=["task:*"])
    await world.webhooks.create(GOOD, subjects=["task:*"])
    await world.write(*range(40))
    world.sender = gated
    return world


def worker(here: World, bus=None, **policy):
    still = {"poll_seconds": 600.0, "gather_seconds": 0.0, **policy}
    return here.worker(bus=bus or SilentBus(), policy=DeliveryPolicy(**still))


async def states_of(here: World, url: str) -> Counter[str]:
    endpoint = next(one for one in await here.webhooks.list() if one.url == url)
    return Counter(one.state.value for one in await here.webhooks.deliveries(endpoint.id))


async def test_a_receiver_that_hangs_holds_nobody_up(here, gated):
    """The good one gets all while the slow one holds its share; nothing is sent twice."""
    one = worker(here)
    running = asyncio.create_task(one.run())
    await until(lambda: gated.count(GOOD) == 40)
    assert 4 == len([url for url, _ in gated.begun if url == SLOW])
    gated.open()
    await until(lambda: gated.count(SLOW) == 40)
    one.stop()
    await running
    assert {1} == set(Counter(gated.begun).values())
    assert 4 == gated.most[SLOW]
    for url in (SLOW, GOOD):
        assert {"delivered": 40} == await states_of(here, url)


async def test_all_slots_together_are_bounded(here, gated):
    """With three of them the good receiver has the one that the slow one may not take."""
    one = worker(here, at_once=3, each_at_once=2)
    running = asyncio.create_task(one.run())
    await until(lambda: gated.count(GOOD) == 40)
    assert 3 == gated.most["all"]
    assert 2 == gated.most[SLOW]
    gated.open()
    await until(lambda: gated.count(SLOW) == 40)
    one.stop()
    await running
    assert 3 == gated.most["all"]


async def test_a_free_slot_goes_to_whom_has_the_least(here, gated):
    """Receivers that hang, each with a long backlog, do not shut others out."""
    await here.webhooks.create(f"{SLOW}2", subjects=["task:*"])
    await here.write(*range(40, 50))
    bus = SilentBus()
    one = worker(here, bus, at_once=4, each_at_once=2)
    running = asyncio.create_task(one.run())
    await until(lambda: len([url for url, _ in gated.begun if url.startswith(SLOW)]) == 4)
    new = await here.webhooks.create(f"{GOOD}new", subjects=["task:99"])
    await here.write(99)
    bus.heard()
    await until(lambda: here.webhooks.deliveries(new.id))
    gated.let_one_go()
    await until(lambda: (new.url, 99) in gated.ended)
    before = gated.begun[: gated.begun.index((new.url, 99))]
    assert 4 == len([url for url, _ in before if url.startswith(SLOW)])
    gated.open()
    one.stop()
    await running


async def test_stopping_begins_nothing_more(here, gated):
    """What is in hand is finished; the rest waits for the next worker."""
    one = worker(here)
    running = asyncio.create_task(one.run())
    await until(lambda: gated.count(GOOD) == 40)
    one.stop()
    gated.open()
    await running
    assert {"delivered": 4, "pending": 36} == await states_of(here, SLOW)
    assert await here.store.leases.current("webhooks") is None


async def test_the_end_of_a_run_serves_those_who_answer(here, gated):
    """All of theirs is sent while another receiver hangs."""
    finishing = asyncio.create_task(worker(here).finish(30))
    await until(lambda: gated.count(GOOD) == 40)
    assert 0 == gated.count(SLOW)
    gated.open()
    await finishing
    for url in (SLOW, GOOD):
        assert {"delivered": 40} == await states_of(here, url)


async def test_the_end_of_a_run_does_not_insist_on_a_store_that_is_away(here, gated, caplog):
    """What could not be noted is not sent again and again meanwhile."""
    gated.open()
    away = here.dying(StoreUnavailableError("away"))
    await here.worker(store=away).finish(30)
    assert "Webhooks wait: away" in caplog.text
    assert {1} == set(Counter(gated.begun).values())


async def test_nothing_is_begun_on_an_old_lease(here, gated):
    """A worker that was held up for long looks first whether it is still the one that delivers."""
    bus = SilentBus()
    one = worker(here, bus)
    running = asyncio.create_task(one.run())
    await until(lambda: gated.count(GOOD) == 40)
    here.clock.advance(LEASE_SECONDS / 2)
    gated.open()
    await until(lambda: not one._in_hand)
    assert 4 == gated.count(SLOW)
    bus.heard()
    await until(lambda: gated.count(SLOW) == 40)
    one.stop()
    await running


async def test_an_endpoint_is_disabled_once(here, gated):
    """Four answers say that it is gone; one event tells it, and no more is sent there."""
    gated.status = 410
    gated.open()
    one = worker(here)
    running = asyncio.create_task(one.run())
    await until(lambda: gated.count(SLOW) and gated.count(GOOD) and not one._in_hand)
    one.stop()
    await running
    assert 2 == len(await here.store.events.read(type="webhook_disabled"))
    assert {SLOW: 4, GOOD: 4} == Counter(url for url, _ in gated.begun)
    assert not any(endpoint.enabled for endpoint in await here.webhooks.list())
    waiting = await here.webhooks.deliveries(state=DeliveryState.PENDING, limit=100)
    assert 80 == len(waiting)


async def test_one_yes_counts_whatever_ends_beside_it(here, gated):
    """Health is judged by what is known when a message ends, not when it began."""
    gated.status = 500
    gated.open()
    one = worker(here)
    async with asyncio.TaskGroup() as group:
        await one.look(group)
    assert all(endpoint.failing_since for endpoint in await here.webhooks.list())
    gated.status = 200
    async with asyncio.TaskGroup() as group:
        await one.look(group)
    assert not any(endpoint.failing_since for endpoint in await here.webhooks.list())

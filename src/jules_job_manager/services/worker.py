"""A worker: reviews always, and the queue itself while it holds the lease."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from jules_job_manager.domain.job import Job
from jules_job_manager.errors import (
    JulesManagerError,
    LeaseLostError,
    NotRecordedError,
    OperationFailedError,
    StoreUnavailableError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.dispatcher import Dispatcher
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.store import Store
from jules_job_manager.services.queue_run import LEASE_NAME, LEASE_SECONDS, QueueRun
from jules_job_manager.services.queue_state import Progress
from jules_job_manager.services.review_worker import ReviewWorker

T = TypeVar("T")
STAND_BY_SECONDS = 5.0
"""Time between two tries to take the lease."""


class Guard(Protocol):
    """A lock that the system frees when its holder dies."""

    def take(self) -> bool:
        """Take it; False when another program has it."""
        ...

    def free(self) -> None:
        """Give it back."""
        ...


class Worker:
    """Runs the queue when nobody else does, and reviews in any case. Use it once."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        owner: str,
        make_run: Callable[[], QueueRun],
        make_reviewer: Callable[[Callable[[], None]], ReviewWorker],
        dispatcher: Dispatcher,
        reviews_at_once: int,
        report: Callable[[Progress], None],
        guard: Guard | None = None,
        is_dead: Callable[[str], bool] | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps the lease.
            clock: Tells the time.
            owner: Unique to this run of the program, fit to be shown.
            make_run: Makes a run over the queue.
            make_reviewer: Makes a review worker; given what to call when a result is there.
            dispatcher: Brings reviews to be run.
            reviews_at_once: Reviews run side by side on this machine, >= 1.
            report: Told of what happens.
            guard: Held by the one leader of a store on one machine. Who has it knows that the
                owner of a lease that is left over is dead. None: the store has no such thing.
            is_dead: Whether an owner is known to have ended: its reviews need not run out.
                None: nobody is.
        """
        self._store = store
        self._clock = clock
        self._owner = owner
        self._make_run = make_run
        self._make_reviewer = make_reviewer
        self._dispatcher = dispatcher
        self._slots = reviews_at_once
        self._reviewers: list[ReviewWorker] = []
        """Those with nothing in hand."""
        self._report = report
        self._guard = guard
        self._is_dead = is_dead
        self._run: QueueRun | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Finish what is in hand, then end."""
        self._stop.set()
        if self._run is not None:
            self._run.stop()

    async def run_queue(self) -> tuple[Job, ...]:
        """Run the queue until nothing can move; return the jobs as they then stand.

        Raises:
            OperationFailedError: another worker has the lease, or has taken over meanwhile.
        """
        return await self._with_reviews(self._lead_to_the_end())

    async def _lead_to_the_end(self) -> tuple[Job, ...]:
        while True:
            lease = await self._acquire()
            if lease is None:
                other = await self._store.leases.current(LEASE_NAME)
                raise OperationFailedError(
                    f"{'Another worker' if other is None else other.owner} is at work on this queue.",
                    hint="Watch it with `jjm queue status`, or stop it first.",
                )
            try:
                return await self._lead(lease)
            except LeaseLostError:  # the machine slept, say
                self._say("its lease ran out; taking it again")

    async def stand_by(self) -> None:
        """Run reviews, and the queue whenever its lease is free, until stopped."""
        await self._with_reviews(self._lead_when_free())

    async def _acquire(self) -> Lease | None:
        if self._guard is not None and not self._guard.take():
            return None
        lease = None
        try:
            lease = await self._store.leases.acquire(
                LEASE_NAME, self._owner, seconds=LEASE_SECONDS, steal=self._guard is not None
            )
        finally:
            if lease is None and self._guard is not None:
                self._guard.free()
        return lease

    async def _lead(self, lease: Lease) -> tuple[Job, ...]:
        self._run = self._make_run()
        if self._stop.is_set():
            self._run.stop()
        try:
            return await self._run.run(lease)
        finally:
            self._run = None
            if self._guard is not None:
                self._guard.free()

    async def _lead_when_free(self) -> None:
        leader = ""
        while not self._stop.is_set():
            try:
                lease = await self._acquire()
                if lease is None:
                    leader = await self._told_leader(leader)
                else:
                    leader = ""
                    self._say(f"{self._owner} runs the queue")
                    await self._lead(lease)
            except LeaseLostError:
                self._say("another worker has taken over; standing by")
            except StoreUnavailableError as exc:
                self._say(f"the store is away: {exc}")
            except NotRecordedError as exc:  # its intent is written: it is found by its mark
                self._say(f"the store went away: {exc}")
            await self._wait(self._stop, STAND_BY_SECONDS)

    async def _told_leader(self, told: str) -> str:
        """Say who runs the queue, unless it was `told` already; return who does."""
        lease = await self._store.leases.current(LEASE_NAME)
        leader = "another program" if lease is None or not lease.owner else lease.owner
        if leader != told:
            self._say(f"standing by; {leader} runs the queue")
        return leader

    async def _with_reviews(self, leading: Coroutine[Any, Any, T]) -> T:
        """Run reviews beside `leading`; when that ends, those in hand are put back."""
        with contextlib.suppress(JulesManagerError):
            await self._free_reviews_of_the_dead()
        reviews = asyncio.ensure_future(self._dispatcher.work(self._review, at_once=self._slots))
        lead = asyncio.ensure_future(leading)
        try:
            await asyncio.wait({lead, reviews}, return_when=asyncio.FIRST_COMPLETED)
            if not lead.done():
                reviews.result()  # raises what ended it
            return await lead
        finally:
            for part in (lead, reviews):
                part.cancel()
            await asyncio.gather(lead, reviews, return_exceptions=True)

    async def _review(self, run_id: str) -> bool:
        """Run a review; one that cannot be claimed because of the store is told, and found later."""
        if self._stop.is_set():
            return False
        worker = self._reviewers.pop() if self._reviewers else self._make_reviewer(self._wake)
        try:
            return await worker.run_one(run_id)
        except StoreUnavailableError as exc:
            self._say(f"the store is away: {exc}")
            return False
        except JulesManagerError as exc:
            self._say(f"a review was not written down, and is begun again: {exc}")
            return False
        finally:
            self._reviewers.append(worker)

    async def _free_reviews_of_the_dead(self) -> None:
        if self._is_dead is None:
            return
        for run in await self._store.review_queue.active():
            if run.state == "running" and self._is_dead(run.owner):
                await self._store.review_queue.put_back(run, seconds=0, error="", failed=False)

    def _wake(self) -> None:
        if self._run is not None:
            self._run.wake()

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    def _say(self, text: str) -> None:
        self._report(Progress(at=self._clock.now(), job_key="", text=text, rule="worker"))

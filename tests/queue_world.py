"""A whole queue in one process: store, simulator, git in memory, and a clock whose hours pass at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.clock import SimulatedClock
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from
from jules_job_manager.adapters.backends.watched import WatchedBackend
from jules_job_manager.adapters.checks.test_reports import FileReportReader
from jules_job_manager.domain.evidence import PROMISED_FILES
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.domain.task import JulesTask, NewTask
from jules_job_manager.errors import PreconditionFailedError, QuotaExceededError
from jules_job_manager.ports.tracer import Tracer
from jules_job_manager.services.accounts import Account, PlanChoice
from jules_job_manager.services.check_suite import CheckSuite
from jules_job_manager.services.observer import Observer
from jules_job_manager.services.queue_run import LEASE_NAME, QueueRun, RunOptions
from jules_job_manager.services.review import Reviewer
from jules_job_manager.services.review_worker import ReviewWorker
from jules_job_manager.services.tasks import TaskService
from jules_job_manager.services.tracing import CallTracer
from tests.memory_git import MemoryGit

REPOSITORY = "octo/demo"
ULTRA = PlanChoice(plan="ultra")


class Crash(BaseException):
    """The program ends here, as a kill would end it."""


class CrashPoint:
    """Ends the program before or after one of its next effects."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.after = False

    def arm(self, left: int, *, after: bool) -> None:
        """Let the `left`th effect from now (0: the next) be the last."""
        self.left, self.after = left, after

    async def around(self, call: Any) -> Any:
        if self.left is None:
            return await call
        if self.left > 0:
            self.left -= 1
            return await call
        self.left = None
        if not self.after:
            call.close()
            raise Crash
        await call
        raise Crash


class Watched:
    """Stands before an object; the named methods are effects, the named members are watched too."""

    def __init__(
        self, inner: Any, point: CrashPoint, effects: frozenset[str], members: Mapping[str, frozenset[str]]
    ) -> None:  # fmt: skip
        self._inner, self._point, self._effects, self._members = inner, point, effects, members

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in self._members:
            return Watched(found, self._point, self._members[name], {})
        if name == "fenced":
            return lambda lease: Watched(found(lease), self._point, self._effects, {})
        if name not in self._effects:
            return found
        return lambda *args, **options: self._point.around(found(*args, **options))


STORE_EFFECTS = {
    "jobs": frozenset({"swap_jobs", "save_attempt"}),
    "review_queue": frozenset({"enqueue", "claim", "finish", "put_back", "remove"}),
    "tasks": frozenset({"save_tasks", "add_activities"}),
    "events": frozenset({"append"}),
    "ledger": frozenset({"append"}),
}
BACKEND_EFFECTS = frozenset({"create_task", "send_message", "approve_plan", "set_archived"})


class Refusals:
    """Stands before a backend and notes the creates that it refused for the quota."""

    def __init__(self, inner: Any, refused: list[str]) -> None:
        self._inner, self._refused = inner, refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def create_task(self, new: NewTask) -> JulesTask:
        try:
            return await self._inner.create_task(new)
        except (QuotaExceededError, PreconditionFailedError) as exc:
            self._refused.append(str(exc))
            raise


class SkewedClock:
    """Our clock, which need not agree with that of Jules."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.skew = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self.skew

    def monotonic_seconds(self) -> float:
        return self._clock.monotonic_seconds()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class StillClock(SkewedClock):
    """Time does not pass for who waits on it: what a review's sign of life waits for."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class NoChecks:
    """Every command passes."""

    async def run(self, command, **_):
        return CheckResult(name=command, conclusion=Conclusion.SUCCESS)


async def no_answer(command: str, job: Job, question: str) -> tuple[str, str]:
    return "", "there is no command"


class QueueWorld:
    """One queue; `tick` is one turn of its loop, with the reviews that are due."""

    def __init__(
        self, store: Any, scenario: Mapping[str, Any], *, policy: Policy,
        plan: PlanChoice = ULTRA, seed: int = 1, runner: Any = None,
        review: ReviewPlan | None = None, tracer: Tracer | None = None,
    ) -> None:  # fmt: skip
        self.tracer = tracer
        self.runner = runner or NoChecks()
        self.review = review or ReviewPlan(rules={"all": "off", PROMISED_FILES: "required"})
        self.store, self.policy, self.plan = store, policy, plan
        self.time = SimulatedClock()
        self.clock = SkewedClock(self.time)
        self.git: Any = MemoryGit(REPOSITORY)
        """The forge."""
        self.pull_requests: Any = None
        self.simulator = Simulator.open(
            None, scenario=scenario_from(scenario), seed=seed, speed=1,
            repositories={REPOSITORY: REPOSITORY}, clock=self.time, git=self.git,
        )  # fmt: skip
        self.point = CrashPoint()
        self.said: list[str] = []
        self.refused: list[str] = []
        """Creates that Jules refused for the quota."""
        self.crashes = 0
        self._run: QueueRun | None = None
        self._reviews: ReviewWorker | None = None
        self.observer: Observer | None = None

    async def open(self) -> None:
        """Start the program (again)."""
        store = Watched(self.store, self.point, frozenset(), STORE_EFFECTS)
        plain = open_rest_backend(
            base_url="http://127.0.0.1/v1alpha", api_key="k", timeout_seconds=30, max_tries=3,
            clock=self.clock, name="simulator", transport=in_process_transport(self.simulator),
        )  # fmt: skip
        if self.tracer is not None:
            watchers = [CallTracer(self.tracer)]
            plain = WatchedBackend(plain, account="default", watchers=watchers)
        backend = Watched(Refusals(plain, self.refused), self.point, BACKEND_EFFECTS, {})
        forge = Watched(self.git, self.point, frozenset({"push_merge"}), {})
        tasks = TaskService(backend=backend, store=store, clock=self.clock)
        self.observer = Observer(backend=backend, tasks=tasks, store=store, clock=self.clock)
        account = Account(
            name="default", backend=backend, tasks=tasks, observer=self.observer, choice=self.plan
        )

        def reviewer() -> Reviewer:
            suite = CheckSuite(forge=forge, runner=self.runner, reports=FileReportReader())
            return Reviewer(forge=forge, suite=suite, store=store, clock=self.clock,
                            plan=self.review, pull_requests=self.pull_requests)  # fmt: skip

        self._run = QueueRun(
            store=store, accounts={"default": account}, reviewer=reviewer(), clock=self.clock,
            policy=self.policy, options=RunOptions(interval_seconds=10), answer_command=no_answer,
            report=lambda told: self.said.append(f"{told.job_key}: {told.text}"),
            tracer=self.tracer,
        )  # fmt: skip
        self._reviews = ReviewWorker(
            store=store, reviewer=reviewer(), clock=StillClock(self.time), owner=f"w{self.crashes}",
            report=lambda told: self.said.append(f"{told.job_key}: {told.text}"), wake=lambda: None,
            tracer=self.tracer,
        )  # fmt: skip
        lease = await self.store.leases.acquire(
            LEASE_NAME, f"run{self.crashes}", seconds=3600, steal=True
        )
        self._lease = lease
        self._run.begin(lease)

    async def tick(self) -> bool:
        """Look, decide, act and review once; return whether something changed."""
        assert self._run is not None
        assert self._reviews is not None
        await self.store.leases.renew(self._lease, seconds=3600)  # it is counted in real time
        try:
            await self._run._hold_on()  # the lease is counted on the machine's clock
            moved, _ = await self._run.step()
            while await self._reviews.run_one():
                moved = True
        except Crash:
            self.crashes += 1
            await self.reset_claims()
            await self.open()
            return True
        return moved

    async def reset_claims(self) -> None:
        """Let the claims of the dead program run out: they are counted on the machine's clock."""
        for run in await self.store.review_queue.active():
            if run.state == "running":
                await self.store.review_queue.put_back(run, seconds=0, error="", failed=False)

    async def run_for(self, seconds: float, *, every: float = 10.0) -> None:
        """Let time pass with a look every `every` seconds."""
        end = self.time.now() + timedelta(seconds=seconds)
        while self.time.now() < end:
            for _ in range(20):
                if not await self.tick():
                    break
            self.time.advance(every)

    async def add(self, *jobs: Job) -> None:
        """Put jobs into the queue."""
        placed = [
            replace(job, repository=REPOSITORY, base_branch="main", queued_at=self.clock.now(),
                    status=job.status if job.status is not JobStatus.DRAFT else JobStatus.READY)
            for job in jobs
        ]  # fmt: skip
        await self.store.jobs.save_jobs(placed)

    def sessions(self) -> list[dict[str, Any]]:
        """Return every session of the pretend Jules, newest first."""
        return self.simulator.sessions()

    def close(self) -> None:
        """Close the world."""
        self.simulator.close()


def run(work: Any) -> Any:
    """Run a coroutine to its end on a loop of its own."""
    return asyncio.run(work)

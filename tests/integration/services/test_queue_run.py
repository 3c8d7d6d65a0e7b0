"""A queue run when Jules, the forge or a person do not do what is hoped for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.adapters.checks.test_reports import FileReportReader
from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import (
    BackendConnectionError,
    ForgeError,
    InvalidInputError,
    OperationFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.backend import Capability, OperationOutcome
from jules_job_manager.ports.quota_ledger import LedgerEntry
from jules_job_manager.services.accounts import Account, PlanChoice
from jules_job_manager.services.check_suite import CheckSuite
from jules_job_manager.services.observer import Observer
from jules_job_manager.services.queue_run import PlanAnswer, QueueRun, RunOptions
from jules_job_manager.services.review import Reviewer
from jules_job_manager.services.tasks import TaskService

pytestmark = pytest.mark.integration

PLAN = Plan(id="p1", steps=(PlanStep(title="Read"),))
JOB = Job(
    key="Task 1",
    title="t",
    prompt="p",
    status=JobStatus.READY,
    repository="o/n",
    base_branch="main",
)


class Time(ImpatientClock):
    """A clock on which every wait takes its time, at once."""

    def __init__(self) -> None:
        super().__init__()
        self._past = timedelta()

    def now(self):
        return super().now() + self._past

    async def sleep(self, seconds: float) -> None:
        self._past += timedelta(seconds=seconds)
        await super().sleep(seconds)


class FakeJules:
    """A Jules that is told what goes wrong: a list of failures by operation, taken one by one."""

    name = "rest"
    capabilities = frozenset(Capability)

    def __init__(self, status: TaskStatus = TaskStatus.FAILED, *, plan: Plan | None = None) -> None:
        self.tasks: dict[str, JulesTask] = {}
        self.status, self.plan = status, plan
        self.failures: dict[str, list[Exception]] = {}
        self.created = self.approved = 0

    def _fail(self, what: str) -> None:
        if self.failures.get(what):
            raise self.failures[what].pop(0)

    async def list_tasks(self, **_):
        self._fail("list")
        return list(self.tasks.values())

    async def iter_tasks(self, **_):
        for task in await self.list_tasks():
            yield task

    async def create_task(self, new):
        self._fail("create")
        self.created += 1
        task = JulesTask(
            id=f"{100 + self.created}", title=new.title, status=self.status, plan=self.plan
        )
        self.tasks[task.id] = task
        self._fail("lost")
        return task

    async def get_task(self, task_id):
        self._fail("get")
        if task_id not in self.tasks:
            raise TaskNotFoundError(task_id)
        return self.tasks[task_id]

    async def list_activities(self, task_id, *, after=None):
        return []

    async def approve_plan(self, task_id):
        self._fail("approve")
        self.approved += 1
        self.tasks[task_id] = replace(self.tasks[task_id], status=TaskStatus.FAILED)
        return OperationOutcome.DONE


class NoForge:
    """A forge that cannot be reached."""

    async def fetch(self, repository):
        raise ForgeError("The remote is away.")


class NoRunner:
    async def run(self, command, **_):
        return CheckResult(name=command, conclusion=Conclusion.FAILURE)


class Desk:
    """A person who answers every question in the same way, after a while."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self._open: list[PlanAnswer] = []

    def ask(self, question):
        if question.plan.fingerprint not in self.asked:
            self.asked.append(question.plan.fingerprint)
            self._open.append(PlanAnswer(question=question, answer=self.answer))

    def keep_only(self, fingerprints):
        self._open = [a for a in self._open if a.question.plan.fingerprint in fingerprints]

    def take_answers(self):
        taken, self._open = self._open, []
        return taken

    def is_asking(self):
        return bool(self._open)

    async def wait_answer(self):
        await asyncio.sleep(0)


async def no_answer(command, job, question):
    """Nobody answers by command here."""
    return "", "no command"


class Run:
    """A queue of jobs, a Jules, and what was said."""

    def __init__(
        self, store, jules: FakeJules, *, desk=None, forge=None, per_day=0, seconds=10.0, **policy
    ) -> None:
        self.store, self.jules, self.clock = store, jules, Time()
        self.said: list[str] = []
        forge = forge or NoForge()
        suite = CheckSuite(forge=forge, runner=NoRunner(), reports=FileReportReader())
        reviewer = Reviewer(forge=forge, suite=suite, store=store, clock=self.clock,
                            plan=ReviewPlan(rules={"all": "off"}))  # fmt: skip
        tasks = TaskService(backend=jules, store=store, clock=self.clock)
        observer = Observer(backend=jules, tasks=tasks, store=store, clock=self.clock)
        account = Account(
            name="default", backend=jules, tasks=tasks, observer=observer,
            choice=PlanChoice(per_day=per_day),
        )  # fmt: skip
        self.queue = QueueRun(
            store=store, accounts={"default": account}, clock=self.clock, reviewer=reviewer,
            options=RunOptions(interval_seconds=seconds), answer_command=no_answer,
            policy=o.Policy(**policy), report=lambda told: self.said.append(told.text), desk=desk,
        )  # fmt: skip

    async def jobs(self, *jobs: Job) -> list[Job]:
        await self.store.jobs.save_jobs(jobs or [JOB])
        return await self.go()

    async def go(self) -> list[Job]:
        lease = await self.store.leases.acquire("queue", "test", seconds=60)
        async with asyncio.timeout(20):
            return list(await self.queue.run(lease))

    def heard(self, words: str) -> bool:
        return any(words in text for text in self.said)


async def test_a_quota_that_is_used_up_is_waited_for(store):
    """The run holds back for as long as Jules says, creates nothing meanwhile, and goes on then."""
    jules = FakeJules()
    jules.failures["create"] = [QuotaExceededError("No task is left.", retry_after_seconds=120.0)]
    run = Run(store, jules, max_attempts=1)
    (job,) = await run.jobs()
    assert JobStatus.FAILED is job.status
    assert 1 == jules.created
    assert run.heard("No task is left. Waiting until")
    assert sum(run.clock.waits) >= 120.0


async def test_a_day_that_is_used_up_is_said_once_for_each_slot(store):
    """Whoever reads the log of a worker sees what it waits for, and until when; so does the next worker."""
    run = Run(store, FakeJules(), per_day=2, seconds=3600.0, max_attempts=1)
    jobs = await run.jobs(*(replace(JOB, key=f"Task {number}") for number in range(1, 6)))
    assert {JobStatus.FAILED} == {job.status for job in jobs}
    said = [text for text in run.said if text.startswith("waits for Jules' quota; next slot ")]
    # Two a day: after the first two and after the next two.
    assert 2 == len(said), run.said


async def test_a_run_that_begins_while_the_day_is_used_up_says_so(store):
    """Nothing about the job changes by it."""
    reason = "waits for Jules' quota; next slot 2026-11-25 12:00"
    jules = FakeJules()
    run = Run(store, jules, per_day=1, seconds=3600.0, max_attempts=1)
    started = LedgerEntry(account="default", kind="start", at=run.clock.now(), mark="m")
    await store.jobs.save_jobs([replace(JOB, key="Task 0", status=JobStatus.DONE)])
    await store.jobs.save_attempt(
        Attempt(mark="m", job_key="Task 0", number=1, state=AttemptState.ACCEPTED, task_id="9")
    )
    await store.ledger.append([started])
    await run.jobs(replace(JOB, reason=reason))
    assert 1 == sum("waits for Jules' quota; next slot" in text for text in run.said), run.said


async def test_an_answer_that_was_lost_is_looked_for_and_not_repeated(store):
    """The task exists although its creation gave no answer: it is found by its mark and adopted."""
    jules = FakeJules()
    jules.failures["lost"] = [UnclearOutcomeError("The answer was lost.")]
    run = Run(store, jules, max_attempts=1)
    (job,) = await run.jobs()
    assert (1, "101") == (jules.created, job.task_id)
    assert run.heard("no clear answer to creating its task")


@pytest.mark.parametrize(
    "error", [InvalidInputError("No such repository."), OperationFailedError("No.")]
)
async def test_a_task_that_jules_refuses_fails_its_job(store, error):
    """A refusal is final for the job, and its words are the reason."""
    jules = FakeJules()
    jules.failures["create"] = [error]
    (job,) = await Run(store, jules).jobs()
    assert (JobStatus.FAILED, str(error)) == (job.status, job.reason)
    assert 0 == jules.created


async def test_a_look_that_fails_is_repeated(store):
    """While Jules or the list of all tasks is away nothing is decided, and it is said."""
    jules = FakeJules()
    jules.failures["list"] = [
        BackendConnectionError("Jules is away."),
        QuotaExceededError("Too many."),
        OperationFailedError("No list."),
    ]
    run = Run(store, jules, max_attempts=1)
    (job,) = await run.jobs()
    assert JobStatus.FAILED is job.status
    assert run.heard("last look failed: Jules is away.")
    assert run.heard("last look failed: Too many.")


async def test_a_task_that_vanished_ends_its_attempt(store):
    """A task just created may be unknown for a minute; after that it is taken for deleted."""
    await store.jobs.save_jobs([replace(JOB, status=JobStatus.RUNNING, task_id="7")])
    run = Run(store, FakeJules(), max_attempts=1)
    live = Attempt(mark="m", job_key=JOB.key, number=1, state=AttemptState.LIVE, task_id="7",
                   updated_at=run.clock.now())  # fmt: skip
    await store.jobs.save_attempt(live)
    (job,) = await run.go()
    assert job.status in {JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.NEEDS_YOU}
    assert sum(run.clock.waits) >= 60.0
    (attempt,) = await store.jobs.list_attempts()
    assert not attempt.state.is_live or JobStatus.NEEDS_YOU is job.status


async def test_a_plan_approved_at_the_desk(store):
    """The plan that was shown is approved, by the person, and the run goes on."""
    jules = FakeJules(TaskStatus.WAITING_APPROVAL, plan=PLAN)
    run = Run(store, jules, desk=Desk("approve"), max_attempts=1)
    (job,) = await run.jobs()
    assert (1, JobStatus.FAILED) == (jules.approved, job.status)
    assert run.heard("plan approved (you approved it)")


async def test_a_plan_declined_at_the_desk_is_not_approved(store):
    """The decision is kept, so that no later run asks again or approves it."""
    jules = FakeJules(TaskStatus.WAITING_APPROVAL, plan=PLAN)
    desk = Desk("decline")
    run = Run(store, jules, desk=desk, max_attempts=1)
    await run.jobs()
    assert 0 == jules.approved
    assert run.heard("plan declined by you")
    assert await store.get_note(f"plan_declined.{PLAN.fingerprint}") is not None
    assert 1 == len(desk.asked)


async def test_a_plan_skipped_at_the_desk_waits_for_a_person(store):
    """The job needs somebody and the run ends."""
    jules = FakeJules(TaskStatus.WAITING_APPROVAL, plan=PLAN)
    (job,) = await Run(store, jules, desk=Desk("skip")).jobs()
    assert (0, JobStatus.NEEDS_YOU) == (jules.approved, job.status)


async def test_an_approval_at_the_desk_that_jules_refuses_is_told(store):
    """What a person decided and could not be done is said, and nothing is called approved."""
    jules = FakeJules(TaskStatus.WAITING_APPROVAL, plan=PLAN)
    jules.failures["approve"] = [BackendConnectionError("Jules is away.")]
    run = Run(store, jules, desk=Desk("approve"))
    await run.jobs()
    assert run.heard("its plan was not approved: Jules is away.")
    assert not run.heard("plan approved")


async def test_a_job_that_is_removed_meanwhile_is_left_alone(store):
    """A job taken out of the queue while it is decided on gets no task."""
    jules = FakeJules()
    run = Run(store, jules)
    await store.jobs.save_jobs([JOB])
    read = store.jobs.get_job

    async def gone(key):
        await store.jobs.delete_jobs([key])
        return await read(key)

    store.jobs.get_job = gone
    assert [] == await run.go()
    assert 0 == jules.created

"""Working through the queue: look, decide, do; again until nothing can move.

Nothing is remembered between two looks but rows, so the run may be ended at any instant and
started again. Whoever holds the lease acts; everybody else may run reviews.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.event import EventType
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.errors import (
    AuthenticationError,
    BackendConnectionError,
    ForgeError,
    InvalidInputError,
    LeaseLostError,
    OperationFailedError,
    PlanChangedError,
    PreconditionFailedError,
    QuotaExceededError,
    StoreError,
    TaskNotFoundError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.dispatcher import Dispatcher
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.review_queue import Companion
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.tracer import Tracer
from jules_job_manager.services.accounts import Account
from jules_job_manager.services.alerting import Alerts
from jules_job_manager.services.backlog_sync import BacklogSync
from jules_job_manager.services.first_of import first_of
from jules_job_manager.services.homes import give_homes
from jules_job_manager.services.notifying import Notifications
from jules_job_manager.services.plan_desk import PlanAnswer, PlanDesk, PlanQuestion
from jules_job_manager.services.queue_effects import AnswerCommand, AttemptEffects
from jules_job_manager.services.queue_look import DECLINED_NOTE, QueueLook
from jules_job_manager.services.queue_state import Progress, QueueState
from jules_job_manager.services.recurrence import next_time
from jules_job_manager.services.review import Reviewer
from jules_job_manager.services.tasks import LAST_LOOK_NOTE
from jules_job_manager.services.tracing import Untraced

__all__ = ["PlanAnswer", "PlanDesk", "PlanQuestion", "Progress", "QueueRun", "RunOptions"]

LEASE_NAME = "queue"
LEASE_SECONDS = 20.0
"""After so long without renewal another worker takes over."""
LOW_SHARE = 0.1
"""Share of an account's day below which it is said to be low."""
MOST_AT_ONCE = 500
"""Jobs whose status is written in one transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How a run goes about it."""

    interval_seconds: float = 10.0
    """Time between two looks, >= 0."""
    watch: bool = False
    """Go on when nothing can move without a person or before a job's time."""
    repository: str = ""
    """Repository of jobs that name none, `owner/name`."""
    base_branch: str = "main"
    """Branch of jobs that name none."""


class QueueRun:
    """One run over the jobs of a store, by the holder of the lease."""

    def __init__(
        self,
        *,
        store: Store,
        accounts: Mapping[str, Account],
        reviewer: Reviewer,
        clock: Clock,
        policy: o.Policy,
        options: RunOptions,
        report: Callable[[Progress], None],
        answer_command: AnswerCommand,
        documents: BacklogSync | None = None,
        show: Callable[[o.Snapshot], None] | None = None,
        desk: PlanDesk | None = None,
        answered: Callable[[PlanAnswer, str], Awaitable[None]] | None = None,
        dispatcher: Dispatcher | None = None,
        notifications: Notifications | None = None,
        alerts: Alerts | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps jobs; must be a SQL store.
            accounts: Where tasks are created, by name, at least one.
            reviewer: Finds and merges deliveries; reviews are run by `ReviewWorker`s.
            clock: Tells the time and waits.
            policy: What may be decided without a person.
            options: How the run goes about it.
            report: Told of everything that happens.
            answer_command: Runs a command that answers a question.
            documents: Brings edits of documents in and progress out; None: neither.
            show: Shown what is known after every look.
            desk: Where a person decides on plans; None: they are left to other commands.
            answered: Told of each decision of a person once it is done, with the code of the error
                that kept it from being done (empty: none did); None: nobody is.
            dispatcher: Brings reviews to workers; None: they are put in line, and found there.
            notifications: Tells people; None: nobody is told.
            alerts: Notices what is wrong for long; None: nobody does.
            tracer: Records what is done; None: nothing does.
        """
        self._tracer = tracer or Untraced()
        self._notifications = notifications
        self._alerts = alerts
        self._low: set[str] = set()
        """Accounts that were said to have little of their day left."""
        self._told_quota = ""
        """The time of day of the slot that was last said to be waited for."""
        self._drained = False
        self._store = store
        self._accounts = accounts
        self._reviewer = reviewer
        self._clock = clock
        self._policy = policy
        self._options = options
        self._show = show
        self._desk = desk
        self._answered = answered
        self._state = QueueState(store=store, clock=clock, report=report, documents=documents)
        self._effects = AttemptEffects(
            state=self._state, accounts=accounts, reviewer=reviewer, policy=policy,
            answer_command=answer_command,
            enqueue=store.review_queue.enqueue if dispatcher is None else dispatcher.enqueue,
        )  # fmt: skip
        self._effects.hold_on = self._hold_on
        self._looks = QueueLook(
            store=store, accounts=accounts, reviewer=reviewer, clock=clock, since=clock.now(),
            merge_waits=self._effects.merging.waits,
        )  # fmt: skip
        self._lease: Lease | None = None
        self._held_at = clock.now()
        self._stopping = False
        self._news = asyncio.Event()

    def stop(self) -> None:
        """Finish the action in hand, then end."""
        self._stopping = True
        self._news.set()

    def wake(self) -> None:
        """Look again now: something happened."""
        self._news.set()

    def begin(self, lease: Lease) -> None:
        """Act from now on as the holder of the lease."""
        self._lease, self._held_at = lease, self._clock.now()
        self._state.hold(lease)

    async def run(self, lease: Lease) -> tuple[Job, ...]:
        """Work until nothing can move without a person; return the jobs as they then stand.

        Raises:
            LeaseLostError: another worker has taken over. Nothing was written since.
        """
        self.begin(lease)
        keeper = asyncio.ensure_future(self._keep_lease())
        work = asyncio.ensure_future(self._run())
        try:
            await asyncio.wait({keeper, work}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                keeper.result()  # raises what ended it
            return work.result()
        finally:
            for part in (keeper, work):
                part.cancel()
            await asyncio.gather(keeper, work, return_exceptions=True)
            await asyncio.shield(self._put_down())

    async def _put_down(self) -> None:
        with contextlib.suppress(StoreError):
            known = await self._store.leases.current(LEASE_NAME)
            mine = self._lease
            if known is None or mine is None or known.token != mine.token:
                return  # another worker looks now
            await self._store.set_note(LAST_LOOK_NOTE, "")
            await self._store.leases.release(mine)

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            await self._hold_on()

    async def _hold_on(self) -> None:
        """Make the lease last from now.

        Raises:
            LeaseLostError: another worker has it.
        """
        assert self._lease is not None
        renewed = await self._store.leases.renew(self._lease, seconds=LEASE_SECONDS)
        if renewed is None:
            raise LeaseLostError
        self._lease, self._held_at = renewed, self._clock.now()

    async def _hold_on_after_a_gap(self) -> None:
        """Hold on when the lease may have run out unseen: this program, or the machine, stood still.

        Raises:
            LeaseLostError: another worker has it.
        """
        if self._clock.now() - self._held_at >= timedelta(seconds=LEASE_SECONDS / 2):
            await self._hold_on()

    async def _run(self) -> tuple[Job, ...]:
        while not self._stopping:
            self._news.clear()
            moved, over = await self.step()
            if over:
                break
            await self._notify()
            if not moved:
                await self._pause()
        await self._notify(last=True)
        return tuple(await self._store.jobs.list_jobs())

    async def step(self) -> tuple[bool, bool]:
        """Look, decide and act once, as the holder of the lease.

        Returns:
            Whether something changed, and whether nothing can move any more.
        """
        moved = await self._take_answers()
        snapshot = await self._look()
        if snapshot is None:
            return moved, False
        moved = await self._act(snapshot) or moved
        now = await self._looks.stored(snapshot)
        if self._show is not None and moved:
            self._show(now)
        self._say_quota(now)
        await self._note_quota(now)
        return moved, not moved and await self._is_over(now)

    async def _is_over(self, snapshot: o.Snapshot) -> bool:
        if self._desk is not None and self._desk.is_asking():
            return False
        drained = not o.may_still_move(snapshot, self._policy, self._clock.now())
        if drained and not self._drained:
            event = self._state.event(EventType.QUEUE_DRAINED, "")
            await self._store.events.append([replace(event, subject="queue")])
        self._drained = drained
        return drained and not self._options.watch

    async def _note_quota(self, snapshot: o.Snapshot) -> None:
        """Write down, once, that an account has little of its day left."""
        now = self._clock.now()
        for name, use in snapshot.accounts.items():
            if use.limits.per_day is None:
                continue
            left = max(0, use.limits.per_day - use.used(now))
            is_low = left <= use.limits.per_day * LOW_SHARE
            if is_low and name not in self._low:
                event = self._state.event(
                    EventType.QUOTA_LOW, "", account=name, left=left, per_day=use.limits.per_day
                )
                await self._store.events.append([replace(event, subject="queue")])
            (self._low.add if is_low else self._low.discard)(name)

    async def _notify(self, *, last: bool = False) -> None:
        if self._alerts is not None:
            await self._alerts.tick()
        if self._notifications is not None:
            await self._notifications.tick(last=last)

    async def _look(self) -> o.Snapshot | None:
        """Return what is known now, or None when the look failed, which is told."""
        await self._hold_on_after_a_gap()
        try:
            snapshot = await self._looks.look()
        except (BackendConnectionError, OperationFailedError, ForgeError) as exc:
            self._state.say("", f"last look failed: {exc}")
            return None
        self._expire_questions(snapshot)
        if self._show is not None:
            self._show(snapshot)
        return snapshot

    def _expire_questions(self, snapshot: o.Snapshot) -> None:
        if self._desk is not None:
            self._desk.keep_only([
                task.plan.fingerprint
                for task in snapshot.tasks.values()
                if task.plan is not None and task.status is TaskStatus.WAITING_APPROVAL
            ])  # fmt: skip

    async def _act(self, snapshot: o.Snapshot) -> bool:
        """Do what is decided; return whether something changed."""
        await self._hold_on_after_a_gap()
        if await self._state.read_documents(job.backlog for job in snapshot.jobs):
            return True
        if await give_homes(
            self._state, snapshot.jobs, repository=self._options.repository,
            base_branch=self._options.base_branch,
        ):  # fmt: skip
            return True
        actions = o.decide(snapshot, self._clock.now(), self._policy)
        live = {a.job_key for a in snapshot.attempts if a.state.is_live}
        said = [a for a in actions if isinstance(a, o.SetStatus) and a.job_key not in live]
        moved = await self._set_statuses(said, snapshot)
        for action in actions:
            if self._stopping:
                break
            if not isinstance(action, o.SetStatus) or action.job_key in live:
                moved = await self._perform(action) or moved
        await self._state.write_documents()
        return moved

    def _say_quota(self, snapshot: o.Snapshot) -> None:
        """Say that jobs wait for the quota, and until when: when they begin to, and for another slot."""
        for job in snapshot.jobs:
            if job.status is JobStatus.READY and o.NEXT_SLOT in job.reason:
                at = job.reason.rpartition(" ")[2]  # on its own day it is told without the date
                if at != self._told_quota:
                    self._state.say(job.key, job.reason, o.WaitKind.QUOTA)
                self._told_quota = at
                return
        self._told_quota = ""

    async def _set_statuses(self, said: Sequence[o.SetStatus], snapshot: o.Snapshot) -> bool:
        """Write where waiting jobs stand, many at once."""
        jobs = {job.key: job for job in snapshot.jobs}
        for start in range(0, len(said), MOST_AT_ONCE):
            part = said[start : start + MOST_AT_ONCE]
            changes = [
                (
                    jobs[a.job_key],
                    replace(jobs[a.job_key], status=a.status, reason=a.reason),
                    a.rule,
                )
                for a in part
            ]
            if not await self._state.swap_many(changes):
                for action in part:
                    await self._perform(action)
        return bool(said)

    async def _perform(self, action: o.Action) -> bool:
        """Do one action; return whether something changed. What fails is tried after a pause."""
        await self._hold_on_after_a_gap()
        job = await self._store.jobs.get_job(action.job_key)
        if job is None:
            return False
        try:
            if isinstance(action, o.SetStatus):
                return await self._state.set_status(job, action.status, action.reason, action.rule)
            if isinstance(action, o.Dispatch):
                with self._tracer.span(
                    "queue.dispatch", jjm_job=job.key, jjm_account=action.account
                ):
                    return await self._effects.dispatch(job, action)
            if isinstance(action, o.Recur):
                return await self._recur(job, action)
            assert isinstance(action, o.AttemptAction)
            return await self._perform_on_attempt(job, action)
        except AuthenticationError:
            raise
        except (
            BackendConnectionError, PreconditionFailedError, PlanChangedError, TaskNotFoundError,
            QuotaExceededError, UnclearOutcomeError, ForgeError,
        ) as exc:  # fmt: skip
            self._state.say(job.key, f"did not work, will be tried again: {exc}")
        except (OperationFailedError, InvalidInputError) as exc:
            if isinstance(action, o.AttemptAction):
                self._looks.refused[action.mark] = (self._looks.signature(job.task_id), str(exc))
            return await self._state.set_status(job, JobStatus.NEEDS_YOU, str(exc), "Jules refused")
        return False

    async def _perform_on_attempt(self, job: Job, action: o.AttemptAction) -> bool:
        attempts = await self._store.jobs.list_attempts(job.key, live_only=True)
        attempt = next((a for a in attempts if a.mark == action.mark), None)
        if attempt is None:
            return False
        match action:
            case o.AskPlan():
                return await self._ask(job, attempt.task_id, action)
            case o.Approve():
                await self._approve(job, attempt.account, attempt.task_id, action)
                return True
            case o.Merge():
                mark = attempt.mark
                branch = self._looks.deliveries[mark].branch
                return await self._effects.merge(job, attempt, self._looks.reviews[mark], branch)
            case o.RunReview():
                delivery, base = (
                    self._looks.deliveries[attempt.mark],
                    self._looks.bases[attempt.mark],
                )
                await self._effects.review(
                    job, attempt, delivery, base, await self._companions(action.together)
                )
                return True
        known = self._looks.deliveries.get(attempt.mark)
        self._effects.branches[attempt.mark] = "" if known is None else known.branch
        return await self._effects.perform(job, attempt, action)

    async def _companions(self, marks: Sequence[str]) -> tuple[Companion, ...]:
        attempts = {a.mark: a for a in await self._store.jobs.list_attempts(live_only=True)}
        found = []
        for mark in marks:
            delivery = self._looks.deliveries[mark]
            found.append(
                Companion(job_key=attempts[mark].job_key, mark=mark, branch=delivery.branch,
                          delivered_commit=delivery.commit)
            )  # fmt: skip
        return tuple(found)

    async def _recur(self, job: Job, action: o.Recur) -> bool:
        """Let a finished recurring job wait for its next time."""
        now = self._clock.now()
        again = replace(
            job, status=JobStatus.READY, reason="", occurrence=job.occurrence + 1,
            not_before=next_time(job.schedule, now), started_at=None, finished_at=None,
            merge_commit="", task_id="", queued_at=now,
        )  # fmt: skip
        event = self._state.event(
            EventType.JOB_RECURS, job.key, occurrence=again.occurrence, ended=job.status.value,
            merge_commit=job.merge_commit,
        )  # fmt: skip
        return await self._state.swap(job, again, action.rule, events=[event])

    async def _approve(self, job: Job, account: str, task_id: str, action: o.Approve) -> None:
        tasks = self._accounts[account].tasks
        await self._hold_on()
        await tasks.approve_plan(task_id, expected_plan=action.fingerprint)
        self._accounts[account].observer.touched(task_id)
        await self._state.set_status(job, JobStatus.RUNNING, "", action.rule)
        self._state.say(job.key, f"plan approved ({action.rule})", action.rule)

    async def _ask(self, job: Job, task_id: str, action: o.AskPlan) -> bool:
        task = self._looks.tasks.get(task_id)
        if self._desk is not None and task is not None and task.plan is not None:
            plans = await self._store.tasks.list_plans(task.id)
            earlier = [plan for plan in plans if plan.fingerprint != task.plan.fingerprint]
            self._desk.ask(
                PlanQuestion(
                    job=job, task_id=task.id, plan=task.plan, reason=action.reason,
                    rule=action.rule, before=earlier[-1] if earlier else None,
                )
            )  # fmt: skip
        return await self._state.set_status(job, JobStatus.NEEDS_YOU, action.reason, action.rule)

    async def _take_answers(self) -> bool:
        """Do what the person decided at the desk; return whether there was anything."""
        answers = () if self._desk is None else self._desk.take_answers()
        for given in answers:
            question, plan = given.question, given.question.plan
            job = await self._store.jobs.get_job(question.job.key)
            if job is None or given.answer == "skip":
                continue
            if given.answer == "decline":
                await self._store.set_note(DECLINED_NOTE + plan.fingerprint, question.task_id)
                self._state.say(job.key, "plan declined by you", "a person declined the plan")
                await self._note_answer(given)
                continue
            attempts = await self._store.jobs.list_attempts(job.key, live_only=True)
            attempt = next((a for a in attempts if a.task_id == question.task_id), None)
            if attempt is None:
                continue
            action = o.Approve(
                job_key=job.key, mark=attempt.mark, rule="you approved it",
                fingerprint=plan.fingerprint,
            )  # fmt: skip
            try:
                await self._approve(job, attempt.account, attempt.task_id, action)
            except (BackendConnectionError, OperationFailedError, TaskNotFoundError) as exc:
                self._state.say(job.key, f"its plan was not approved: {exc}")
                await self._note_answer(given, exc.code)
            else:
                await self._note_answer(given)
        return bool(answers)

    async def _note_answer(self, given: PlanAnswer, error: str = "") -> None:
        if self._answered is not None:
            await self._answered(given, error)

    async def _pause(self) -> None:
        """Wait for the next look; news and an answer at the desk end the wait."""
        waits = [self._clock.sleep(self._options.interval_seconds), self._news.wait()]
        if self._desk is not None and self._desk.is_asking():
            waits.append(self._desk.wait_answer())
        await first_of(*waits)

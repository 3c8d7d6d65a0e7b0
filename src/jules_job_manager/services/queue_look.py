"""What is known now: Jules, git and the store, put into one snapshot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.quota import EDGE, WINDOW, AccountUse
from jules_job_manager.domain.review import Delivery, Review
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.domain.task_view import latest_change_set
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.ports.backend import Capability
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.review_queue import ReviewRun
from jules_job_manager.ports.store import Store
from jules_job_manager.services.accounts import Account, account_use
from jules_job_manager.services.batches import failed_batches
from jules_job_manager.services.observer import Look
from jules_job_manager.services.queue_effects import feedback_fate
from jules_job_manager.services.review import Reviewer
from jules_job_manager.services.tasks import LAST_LOOK_NOTE

DECLINED_NOTE = "plan_declined."
MERGE_NOTE = "merge_approved."
"""Note that a person lets a delivered commit be merged."""
PAUSED_NOTE = "queue.paused"
"""Why nothing starts; empty: it may."""
PAUSED_BY_NOTE = "queue.paused_by"
LEDGER_SPAN = WINDOW + EDGE + timedelta(hours=1)


@dataclass(kw_only=True)
class _Found:
    """What is gathered for the snapshot, by mark."""

    tasks: dict[str, JulesTask] = field(default_factory=dict)
    deliveries: dict[str, str] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    quiet_since: dict[str, datetime] = field(default_factory=dict)
    changed_files: dict[str, frozenset[str]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    circles: set[str] = field(default_factory=set)
    passed_before: set[str] = field(default_factory=set)
    fates: dict[str, set[str]] = field(
        default_factory=lambda: {"answered": set(), "unheard": set(), "heard": set()}
    )


class QueueLook:
    """Looks at everything the queue's decision depends on."""

    def __init__(
        self,
        *,
        store: Store,
        accounts: Mapping[str, Account],
        reviewer: Reviewer,
        clock: Clock,
        since: datetime,
        merge_waits: Mapping[str, o.MergeWait],
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps everything.
            accounts: Of Jules, by name.
            reviewer: Finds deliveries.
            clock: Tells the time.
            since: When this program began to look.
            merge_waits: By mark, what a merge waits for; read at each look.
        """
        self._merge_waits = merge_waits
        self._store = store
        self._accounts = accounts
        self._reviewer = reviewer
        self._clock = clock
        self._since = since
        self._landed: set[tuple[str, str, str]] = set()
        self.tasks: Mapping[str, JulesTask] = {}
        """Tasks of live attempts, as last looked at."""
        self.deliveries: dict[str, Delivery] = {}
        self.bases: dict[str, str] = {}
        """The commit of the base branch that each delivery is to be merged into."""
        self.reviews: dict[str, Review] = {}
        self.refused: dict[str, tuple[object, str]] = {}
        """What Jules refused of an attempt, with what must change before it is tried again."""
        self.uses: Mapping[str, AccountUse] = {}
        self.postponed = 0

    async def look(self) -> o.Snapshot:
        """Return what is known now.

        Raises:
            BackendConnectionError, OperationFailedError, ForgeError: the look failed.
        """
        jobs = tuple(await self._store.jobs.list_jobs())
        attempts = tuple(await self._store.jobs.list_attempts())
        by_key = {job.key: job for job in jobs}
        live = [a for a in attempts if a.state.is_live and a.task_id and a.job_key in by_key]
        self._reviewer.begin_look()
        looks = await self._look_at_jules(live)
        found, runs = _Found(), await self._store.review_queue.active()
        for attempt in live:
            await self._look_at(by_key[attempt.job_key], attempt, looks, found)
        self.tasks = found.tasks
        self._note_failed_reviews(runs)
        known = await self._stored_facts(attempts, looks)
        fates = found.fates
        return o.Snapshot(
            jobs=jobs, attempts=attempts, tasks=found.tasks, deliveries=found.deliveries,
            bases=found.bases, reviews=found.reviews, quiet_since=found.quiet_since,
            changed_files=found.changed_files, branches=found.branches,
            answered=frozenset(fates["answered"]), unheard=frozenset(fates["unheard"]),
            passed_before=frozenset(found.passed_before), circles=frozenset(found.circles),
            approved=frozenset(found.approved),
            one_by_one=self._one_by_one(live, by_key),
            failed_batches=await failed_batches(
                self._store, {found.bases[mark] for mark in found.passed_before}
            ),
            reviewing=frozenset(_under_review(runs, found)), refused=self._still_refused(live),
            declined=await declined_plans(self._store, found.tasks.values()), unlanded=await self._unlanded(jobs),
            since=self._since, merge_waits=dict(self._merge_waits), **known,
        )  # fmt: skip

    async def stored(self, snapshot: o.Snapshot) -> o.Snapshot:
        """Return the snapshot with the jobs and attempts as they are stored now."""
        return o.Snapshot(
            jobs=tuple(await self._store.jobs.list_jobs()),
            attempts=tuple(await self._store.jobs.list_attempts()),
            tasks=snapshot.tasks, accounts=snapshot.accounts, paused=snapshot.paused,
            unlanded=snapshot.unlanded, branches=snapshot.branches,
            changed_files=snapshot.changed_files, since=snapshot.since,
        )  # fmt: skip

    def _one_by_one(self, live: Sequence[Attempt], by_key: Mapping[str, Job]) -> frozenset[str]:
        names = {by_key[attempt.job_key].repository for attempt in live}
        return frozenset(n for n in names if not self._reviewer.merges_what_it_judged(n))

    def signature(self, task_id: str) -> object:
        """Return what must change of a task before something refused is tried again."""
        task = self.tasks.get(task_id)
        if task is None:
            return None
        plan = None if task.plan is None else task.plan.fingerprint
        return (task.status, plan, len(task.chat_history))

    async def _look_at_jules(self, live: Sequence[Attempt]) -> Mapping[str, Look]:
        looks = {}
        for name, account in self._accounts.items():
            mine = [a for a in live if a.account == name]
            since = {a.task_id: a.updated_at for a in mine if a.updated_at is not None}
            looks[name] = await account.observer.look([a.task_id for a in mine], since=since)
            if looks[name].is_complete and name == next(iter(self._accounts)):
                note = f"{to_rfc3339(self._clock.now())} {account.backend.name}"
                await self._store.set_note(LAST_LOOK_NOTE, note)
        self.postponed = sum(look.postponed for look in looks.values())
        return looks

    async def _stored_facts(
        self, attempts: Sequence[Attempt], looks: Mapping[str, Look]
    ) -> dict[str, Any]:
        now = self._clock.now()
        ledger = await self._store.ledger.read(since=now - LEDGER_SPAN)
        self.uses = {
            name: account_use(name, account.choice, looks[name], ledger, attempts, now)
            for name, account in self._accounts.items()
        }
        paused = await self._store.get_note(PAUSED_NOTE)
        return {"accounts": self.uses, "paused": paused or ""}

    async def _look_at(
        self, job: Job, attempt: Attempt, looks: Mapping[str, Look], found: _Found
    ) -> None:
        look = looks.get(attempt.account)
        task = None if look is None else look.tasks.get(attempt.task_id)
        if task is None:
            return
        found.tasks[task.id] = task
        activities = await self._store.tasks.list_activities(task.id)
        heard = _heard(task, activities, attempt)
        if heard is not None:
            found.quiet_since[attempt.mark] = heard
        change_set = latest_change_set(task, activities)
        if change_set is not None:
            found.changed_files[attempt.mark] = frozenset(f.filename for f in change_set.files)
        if task.status is not TaskStatus.COMPLETED or job.status.is_final:
            return
        delivery = await self._reviewer.find_delivery(job, task, change_set)
        found.deliveries[attempt.mark] = (
            o.NOTHING_DELIVERED if delivery is None else delivery.commit
        )
        if delivery is not None:
            await self._look_at_delivery(job, attempt, delivery, found)
        backend = self._accounts[attempt.account].backend
        if attempt.feedback_rounds and Capability.ACTIVITIES in backend.capabilities:
            found.fates[feedback_fate(attempt, activities)].add(attempt.mark)

    async def _look_at_delivery(
        self, job: Job, attempt: Attempt, delivery: Delivery, found: _Found
    ) -> None:
        self.deliveries[attempt.mark] = delivery
        if delivery.branch:
            found.branches[job.key] = delivery.branch
        base = await self._reviewer.base_commit(job)
        review = None
        with contextlib.suppress(ConfigurationError):  # whoever runs the review says so
            review = await self._reviewer.usable_review(
                job, attempt, delivery.commit, base, branch=delivery.branch
            )
        found.bases[attempt.mark] = self.bases[attempt.mark] = base
        if (
            attempt.feedback_rounds
            and delivery.commit != attempt.delivered_commit
            and await self._reviewer.goes_in_circles(job, attempt, delivery.commit)
        ):
            found.circles.add(attempt.mark)
        with contextlib.suppress(ConfigurationError):  # as above
            if review is None and await self._reviewer.passed_before(job, delivery.commit, base):
                found.passed_before.add(attempt.mark)
        if review is not None:
            self.reviews[attempt.mark] = review
            found.reviews[attempt.mark] = review
            if await self._store.get_note(MERGE_NOTE + delivery.commit) is not None:
                found.approved.add(delivery.commit)
            # A base that holds the accepted merge already is as good as the one it was made on.
            found.bases[attempt.mark] = review.base_commit

    def _note_failed_reviews(self, runs: Sequence[ReviewRun]) -> None:
        for run in runs:
            if run.state == "failed":
                said = f"its delivery could not be checked: {run.error}"
                self.refused[run.mark] = (self._signature_of_mark(run.mark), said)

    def _signature_of_mark(self, mark: str) -> object:
        known = self.refused.get(mark)
        return known[0] if known is not None else ("review", mark)

    def _still_refused(self, live: Sequence[Attempt]) -> dict[str, str]:
        kept = {}
        for attempt in live:
            known = self.refused.get(attempt.mark)
            if known is None:
                continue
            if known[0] in (self.signature(attempt.task_id), ("review", attempt.mark)):
                kept[attempt.mark] = known
        self.refused = kept
        return {mark: text for mark, (_, text) in kept.items()}

    async def _unlanded(self, jobs: Sequence[Job]) -> dict[str, tuple[str, ...]]:
        """Return, by job, the merged dependencies that its base branch does not hold (yet)."""
        by_key = {job.key: job for job in jobs}
        away: dict[str, tuple[str, ...]] = {}
        for job in jobs:
            if job.status not in {JobStatus.READY, JobStatus.BLOCKED} or not job.depends_on:
                continue
            needed = [by_key.get(key) for key in job.depends_on]
            if any(n is None or n.status is not JobStatus.DONE for n in needed):
                continue
            lacking = [n.key for n in needed if n is not None and not await self._holds(job, n)]
            if lacking:
                away[job.key] = tuple(lacking)
        return away

    async def _holds(self, job: Job, needed: Job) -> bool:
        if not needed.merge_commit or needed.repository != job.repository:
            return True
        place = (job.repository, job.base_branch, needed.merge_commit)
        if place not in self._landed and await self._reviewer.base_holds(job, needed.merge_commit):
            self._landed.add(place)
        return place in self._landed


def _under_review(runs: Sequence[ReviewRun], found: _Found) -> set[str]:
    return {
        run.mark
        for run in runs
        if run.state != "failed"
        and (run.delivered_commit, run.base_commit)
        == (found.deliveries.get(run.mark), found.bases.get(run.mark))
    }


def _heard(task: JulesTask, activities: Sequence[Activity], attempt: Attempt) -> datetime | None:
    """Return when anything last happened; what a person sends begins a new wait for the agent."""
    moments = [a.created_at for a in activities if a.created_at is not None]
    moments += [m for m in (task.created_at, attempt.created_at) if m is not None]
    return max(moments, default=None)


async def declined_plans(store: Store, tasks: Iterable[JulesTask]) -> frozenset[str]:
    """Return the fingerprints of those plans of these tasks that wait and that a person declined."""
    found = []
    for task in tasks:
        if task.plan is None or task.status is not TaskStatus.WAITING_APPROVAL:
            continue
        if await store.get_note(DECLINED_NOTE + task.plan.fingerprint) is not None:
            found.append(task.plan.fingerprint)
    return frozenset(found)

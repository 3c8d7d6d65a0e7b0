"""Putting away tasks that are not needed any more, and never one whose work would be lost.

A task's work is what its own branch holds now and its last patch, not what a review saw once:
a task may be revived after its merge. What cannot be proved to be in the base is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.task_view import latest_change_set
from jules_job_manager.errors import (
    AuthenticationError,
    ForgeError,
    JulesManagerError,
    TaskNotFoundError,
)
from jules_job_manager.ports.backend import Capability
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.forge import Forge, Holding
from jules_job_manager.ports.store import Store
from jules_job_manager.services.accounts import Account
from jules_job_manager.services.review import patch_delivery

_HOW = {
    Holding.COMMIT: "",
    Holding.CONTENT: " (another way than by a merge of its branch)",
    Holding.SAME_CHANGE: " (squashed)",
    Holding.SAME_COMMITS: " (rebased)",
}


class Fate(StrEnum):
    """What is done with a task."""

    ARCHIVE = "archive"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanStep:
    """What is, or would be, done with one task, and why."""

    task_id: str
    account: str
    fate: Fate
    reason: str
    job_key: str = ""
    title: str = ""
    done: bool = False
    """Whether it was done: False in a dry run, for what is kept, and when it failed."""
    failed: bool = False
    """Whether something went wrong, so that the task had to be kept."""

    def to_dict(self) -> dict[str, Any]:
        """Return the step as JSON values."""
        return {
            "task_id": self.task_id,
            "account": self.account,
            "job": self.job_key,
            "title": self.title,
            "action": self.fate.value,
            "reason": self.reason,
            "done": self.done,
            "failed": self.failed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            task_id=data["task_id"], account=data["account"], fate=Fate(data["action"]),
            reason=data["reason"], job_key=data["job"], title=data["title"], done=data["done"],
            failed=data["failed"],
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    account: Account
    task: JulesTask
    attempt: Attempt | None = None
    job: Job | None = None
    kept: Attempt | None = None
    """The attempt of the same job that was merged in place of this one."""


class Cleaning:
    """Looks through the tasks of all accounts and puts away what is merged."""

    def __init__(
        self, *, store: Store, forge: Forge, accounts: Mapping[str, Account], clock: Clock,
        base_branch: str = "main", actor: str = "person",
    ) -> None:  # fmt: skip
        """Bind the parts; `base_branch` is that of tasks that tell none."""
        self._store = store
        self._forge = forge
        self._accounts = accounts
        self._clock = clock
        self._base_branch = base_branch
        self._actor = actor
        self._fetched: dict[str, ForgeError | None] = {}

    async def steps(
        self, *, delete: bool = False, all_tasks: bool = False, dry_run: bool = False
    ) -> AsyncIterator[CleanStep]:
        """Judge every task in question, act on it at once unless `dry_run`, and tell of it.

        Args:
            delete: Delete what is proved to be in the base, archived tasks too; what is only
                not needed any more is archived all the same.
            all_tasks: Also judge finished tasks that no finished job has made.
            dry_run: Only ask; change nothing at Jules.

        Raises:
            AuthenticationError, BackendConnectionError: Jules could not be asked at all.
        """
        for candidate in await self._candidates(delete=delete, all_tasks=all_tasks):
            step = await self._judged(candidate, Fate.DELETE if delete else Fate.ARCHIVE)
            if step.fate is not Fate.KEEP and not dry_run:
                step = await self._carried_out(candidate, step)
            yield step

    async def _candidates(self, *, delete: bool, all_tasks: bool) -> Sequence[_Candidate]:
        jobs = {job.key: job for job in await self._store.jobs.list_jobs()}
        attempts = await self._store.jobs.list_attempts()
        by_task = {a.task_id: a for a in attempts if a.task_id and not a.state.is_live}
        live = {a.task_id for a in attempts if a.state.is_live}
        accepted = {
            (a.job_key, a.occurrence): a for a in attempts if a.state is AttemptState.ACCEPTED
        }
        found = []
        for account in self._accounts.values():
            for task in await account.backend.list_tasks(include_archived=delete):
                attempt = by_task.get(task.id)
                job = None if attempt is None else jobs.get(attempt.job_key)
                if task.id in live or (task.archived and not delete):
                    continue
                kept = (
                    None if attempt is None else accepted.get((attempt.job_key, attempt.occurrence))
                )
                if job is None or attempt is None or not _is_over(job, attempt):
                    kept = None
                if kept is not None or all_tasks:
                    found.append(_Candidate(account=account, task=task, attempt=attempt, job=job,
                                            kept=kept))  # fmt: skip
        return found

    async def _judged(self, candidate: _Candidate, wanted: Fate) -> CleanStep:
        """Return what shall be done with the task, after looking at it anew."""
        account, listed = candidate.account, candidate.task
        need = Capability.DELETE if wanted is Fate.DELETE else Capability.ARCHIVE
        if need not in account.backend.capabilities:
            return _step(candidate, f"{account.backend.name} cannot {wanted.value} tasks")
        superseded = candidate.kept is not None and candidate.kept != candidate.attempt
        tells = Capability.LIST_STATUS in account.backend.capabilities
        if tells and not superseded and not listed.status.is_finished:
            return _step(candidate, f"it is {listed.status.value}")
        try:
            task = await account.tasks.get_task(listed.id)
            if not superseded and not task.status.is_finished:
                return _step(candidate, f"it is {task.status.value}")
            return await self._weighed(candidate, task, wanted, superseded=superseded)
        except TaskNotFoundError:
            return _step(candidate, "Jules does not know it any more")
        except ForgeError as exc:
            failed = candidate.job is not None
            return _step(candidate, f"its work cannot be looked at: {exc}", failed=failed)

    async def _weighed(
        self, candidate: _Candidate, task: JulesTask, wanted: Fate, *, superseded: bool
    ) -> CleanStep:
        job = candidate.job
        repository = task.repository if job is None else job.repository
        base = (task.branch if job is None else job.base_branch) or self._base_branch
        if not repository:
            return _step(candidate, "it has no repository")
        await self._fetch(repository)
        work = await self._work(candidate, task, repository, base)
        ways = [await self._forge.holds_work(repository, base, commit) for commit in work or ()]
        if ways and all(ways):
            how = next((_HOW[way] for way in ways if way is not None), "")
            fate = wanted if task.status.is_finished else Fate.ARCHIVE
            return _step(candidate, f"its work is in {base}{how}", fate)
        if not superseded:
            return _step(candidate, _why_kept(work, ways, base))
        if not await self._replaced(candidate, repository, base):
            return _step(candidate, f"what was merged in its place is not in {base} any more")
        state = "" if candidate.attempt is None else candidate.attempt.state.value
        if work == []:
            fate = wanted if task.status.is_finished else Fate.ARCHIVE
            return _step(candidate, f"{state}, it left no work, and its job is merged", fate)
        reason = f"{state}, and its job is merged without it"
        if task.archived:
            return _step(candidate, f"{reason}: its own work is nowhere else")
        if Capability.ARCHIVE not in candidate.account.backend.capabilities:
            return _step(candidate, f"{reason}: it cannot be archived here, only deleted")
        return _step(candidate, reason, Fate.ARCHIVE)

    async def _replaced(self, candidate: _Candidate, repository: str, base: str) -> bool:
        """Return whether the base holds what was merged in place of this attempt."""
        job, kept = candidate.job, candidate.kept
        if job is None or kept is None:
            return False
        same = job.status is JobStatus.DONE and kept.occurrence == job.occurrence
        if same and job.merge_commit:
            return bool(await self._forge.contains(repository, base, job.merge_commit))
        return bool(await self._forge.holds_work(repository, base, kept.delivered_commit))

    async def _fetch(self, repository: str) -> None:
        if repository not in self._fetched:
            self._fetched[repository] = None
            try:
                await self._forge.fetch(repository)
            except ForgeError as exc:
                self._fetched[repository] = exc
        failure = self._fetched[repository]
        if failure is not None:
            raise ForgeError(failure.message, hint=failure.hint, context=failure.context)

    async def _work(
        self, candidate: _Candidate, task: JulesTask, repository: str, base: str
    ) -> list[str] | None:
        """Return the commits of all that the task has made; None: it made something that is gone."""
        branches = await self._forge.list_branches(repository)
        request, commits = task.pull_request, []
        own = ["" if request is None else request.head_ref, task.working_branch]
        own += [branch for branch in branches if branch.endswith(f"-{task.id}")]
        for branch in dict.fromkeys(own):
            if branch and branch != base and branch in branches:
                commit = await self._forge.head_commit(repository, branch)
                commits += [commit] if commit else []
        change_set = latest_change_set(task, await self._store.tasks.list_activities(task.id))
        if change_set is None or not change_set.unidiff_patch:
            change_set = next(reversed(await self._store.tasks.list_patches(task.id)), None)
        if change_set is not None and change_set.unidiff_patch:
            message = change_set.suggested_commit_message or f"Work of task {task.id}"
            delivery = await patch_delivery(
                self._forge, self._store, repository, change_set, message
            )
            commits.append(delivery.commit)
        if not commits and candidate.attempt is not None and candidate.attempt.delivered_commit:
            return [candidate.attempt.delivered_commit]
        if not commits and any(own):
            return None
        return commits

    async def _carried_out(self, candidate: _Candidate, step: CleanStep) -> CleanStep:
        account, task = candidate.account, candidate.task
        try:
            if step.fate is Fate.ARCHIVE:
                await account.tasks.set_archived(task.id, archived=True)
            else:
                await account.backend.delete_task(task.id)
                await self._note_deleted(task.id)
        except AuthenticationError:
            raise
        except JulesManagerError as exc:
            return replace(step, failed=True, reason=f"{step.reason}; but it failed: {exc}")
        return replace(step, done=True)

    async def _note_deleted(self, task_id: str) -> None:
        """Keep what is known of the deleted task, out of the lists: its work stays recoverable."""
        event = NewEvent(
            type=EventType.TASK_DELETED, subject=f"task:{task_id}", at=self._clock.now(),
            actor=self._actor, data={"kept_here": True},
        )  # fmt: skip
        stored = await self._store.tasks.get_task(task_id)
        if stored is None:
            await self._store.events.append([event])
        else:
            await self._store.tasks.save_tasks([replace(stored, archived=True)], [event])


def _is_over(job: Job, attempt: Attempt) -> bool:
    """Whether the run of the job that the attempt belongs to is merged and done with."""
    return attempt.state is AttemptState.ACCEPTED or (
        job.status is JobStatus.DONE or attempt.occurrence < job.occurrence
    )


def _why_kept(work: Sequence[str] | None, ways: Sequence[Holding | None], base: str) -> str:
    if work is None:
        return "its branch is gone and it kept no patch, so its work cannot be looked for"
    away = [commit[:8] for commit, way in zip(work, ways, strict=True) if way is None]
    return f"its work ({', '.join(away)}) is not in {base}" if away else "it made no change"


def _step(
    candidate: _Candidate, reason: str, fate: Fate = Fate.KEEP, *, failed: bool = False
) -> CleanStep:
    return CleanStep(
        task_id=candidate.task.id, account=candidate.account.name, fate=fate, reason=reason,
        job_key="" if candidate.attempt is None else candidate.attempt.job_key,
        title=candidate.task.title, failed=failed,
    )  # fmt: skip


def done_steps(steps: Sequence[CleanStep]) -> list[str]:
    """Return what was done, each as `archive ID` or `delete ID`."""
    return [f"{step.fate.value} {step.task_id}" for step in steps if step.done]

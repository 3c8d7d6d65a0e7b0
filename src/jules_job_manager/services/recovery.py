"""Bringing back work from the patches that the store kept, whatever became of its task."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.task_view import latest_change_set
from jules_job_manager.errors import InvalidInputError, OperationFailedError
from jules_job_manager.ports.clone import Clone, Rebuilt
from jules_job_manager.ports.store import Store
from jules_job_manager.services.stored_tasks import resolve_task

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class LostWork:
    """The last patch that was kept of a task, and whose it is."""

    task_id: str
    change_set: ChangeSet
    repository: str = ""
    base_branch: str = "main"
    title: str = ""
    job_key: str = ""
    others: tuple[str, ...] = ()
    """Other tasks of the job of which a patch was kept too, newest first."""

    @property
    def branch(self) -> str:
        """The name its branch gets unless another is wanted."""
        slug = _NOT_IN_NAMES.sub("-", self.job_key.lower()).strip("-")[:40].strip("-")
        return "-".join(
            filter(None, ("recovered/task" if not slug else f"recovered/{slug}", self.task_id))
        )

    @property
    def message(self) -> str:
        """The commit's message: Jules' own suggestion, else the title."""
        title = f"{self.job_key}: {self.title}" if self.job_key else self.title
        suggested = self.change_set.suggested_commit_message.strip()
        return f"{suggested or title or 'Recovered work'}\n\nJules task: {self.task_id}\n"


class Recovery:
    """Finds lost work in a store and rebuilds it in a clone. Jules is not asked."""

    def __init__(self, *, store: Store, clone: Clone) -> None:
        """Bind the store and the clone."""
        self._store = store
        self._clone = clone

    async def of_job(self, job: Job, reference: str | None = None) -> LostWork:
        """Return the kept work of a job's newest attempt that has any, or of one task of it.

        Args:
            job: As stored.
            reference: Id of a task, its first characters or web address.

        Raises:
            InvalidInputError: the task is not one of the job's.
            OperationFailedError: nothing was kept.
        """
        attempts = sorted(await self._store.jobs.list_attempts(job.key), key=lambda a: -a.number)
        tasks = [a.task_id for a in attempts if a.task_id] + [job.task_id]
        wanted = list(dict.fromkeys(task for task in tasks if task))
        if reference is not None:
            task_id = await resolve_task(self._store, reference)
            if task_id not in wanted:
                raise InvalidInputError(
                    f"Task {task_id} is not one of {job.key}.",
                    hint="Leave out the job to recover a task of no job.",
                )
            return await self._work(task_id, job=job)
        found = [task for task in wanted if await self._patch_of(task) is not None]
        if not found:
            raise OperationFailedError(
                f"No patch of {job.key} was kept.",
                hint=f"If Jules still has its task, `jjm get {wanted[0]}` reads it; then try again."
                if wanted else "It never had a task.",
            )  # fmt: skip
        return await self._work(found[0], job=job, others=tuple(found[1:]))

    async def of_task(self, reference: str) -> LostWork:
        """Return the kept work of a task, of whatever job.

        Raises:
            InvalidInputError: it is no id, or more than one task starts so.
            OperationFailedError: nothing was kept.
        """
        return await self._work(await resolve_task(self._store, reference))

    async def rebuild(
        self, work: LostWork, *, branch: str | None = None, dry_run: bool = False
    ) -> Rebuilt:
        """Make the work a new local branch of the clone.

        Raises:
            InvalidInputError: git refuses the branch name, or there is such a branch.
            ForgeError: git failed.
        """
        return await self._clone.rebuild(
            work.change_set, base_branch=work.base_branch or "main", branch=branch or work.branch,
            message=work.message, dry_run=dry_run,
        )  # fmt: skip

    async def is_of_clone(self, work: LostWork, address: str = "") -> bool:
        """Return whether the clone looks like one of the repository the work is for."""
        return not work.repository or await self._clone.is_of(work.repository, address)

    async def _work(
        self, task_id: str, *, job: Job | None = None, others: tuple[str, ...] = ()
    ) -> LostWork:
        change_set = await self._patch_of(task_id)
        if change_set is None:
            raise OperationFailedError(
                f"No patch of task {task_id} was kept.",
                hint=f"If Jules still has it, `jjm get {task_id}` reads it; then try again.",
            )
        task = await self._store.tasks.get_task(task_id) or JulesTask(id=task_id)
        if job is None:
            return LostWork(
                task_id=task_id, change_set=change_set, repository=task.repository,
                base_branch=task.branch, title=task.title, others=others,
            )  # fmt: skip
        return LostWork(
            task_id=task_id, change_set=change_set, others=others, job_key=job.key,
            repository=job.repository or task.repository, title=job.title,
            base_branch=job.base_branch or task.branch,
        )  # fmt: skip

    async def _patch_of(self, task_id: str) -> ChangeSet | None:
        task = await self._store.tasks.get_task(task_id)
        if task is not None:
            activities = await self._store.tasks.list_activities(task_id)
            found = latest_change_set(task, activities)
            if found is not None and found.unidiff_patch:
                return found
        kept = await self._store.tasks.list_patches(task_id)
        return next((patch for patch in reversed(kept) if patch.unidiff_patch), None)

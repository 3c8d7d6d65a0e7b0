"""Managing tasks of several accounts by their ids alone: each is asked of the account it is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.ports.backend import Backend
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.tasks import TaskService


class AccountTasks(TaskService):
    """The tasks of the default account, and those the store knows to be in another.

    New tasks and lists are of the default account.
    """

    def __init__(
        self,
        *,
        backend: Backend,
        store: Store,
        clock: Clock,
        others: Mapping[str, TaskService],
        actor: str = "jjm",
    ) -> None:
        """Bind the default account; `others` are the further ones, by name of their backend."""
        super().__init__(backend=backend, store=store, clock=clock, actor=actor)
        self._others = others

    async def _other(self, reference: str) -> TaskService | None:
        known = await self._store.tasks.get_task(await self.resolve(reference))
        return None if known is None else self._others.get(known.backend)

    async def get_task(self, reference: str) -> JulesTask:
        """See `TaskService.get_task`."""
        other = await self._other(reference)
        return await (super().get_task(reference) if other is None else other.get_task(reference))

    async def send_message(self, reference: str, text: str) -> str:
        """See `TaskService.send_message`."""
        other = await self._other(reference)
        if other is None:
            return await super().send_message(reference, text)
        return await other.send_message(reference, text)

    async def approve_plan(self, reference: str, *, expected_plan: str | None = None) -> JulesTask:
        """See `TaskService.approve_plan`."""
        other = await self._other(reference)
        if other is None:
            return await super().approve_plan(reference, expected_plan=expected_plan)
        return await other.approve_plan(reference, expected_plan=expected_plan)

    async def resume_task(self, reference: str) -> JulesTask:
        """See `TaskService.resume_task`."""
        other = await self._other(reference)
        if other is None:
            return await super().resume_task(reference)
        return await other.resume_task(reference)

    async def set_archived(self, reference: str, *, archived: bool) -> str:
        """See `TaskService.set_archived`."""
        other = await self._other(reference)
        if other is None:
            return await super().set_archived(reference, archived=archived)
        return await other.set_archived(reference, archived=archived)

    async def delete_task(self, reference: str) -> str:
        """See `TaskService.delete_task`."""
        other = await self._other(reference)
        if other is None:
            return await super().delete_task(reference)
        return await other.delete_task(reference)

    async def plans(self, reference: str) -> Sequence[Plan]:
        """See `TaskService.plans`."""
        other = await self._other(reference)
        return await (super().plans(reference) if other is None else other.plans(reference))

    async def change_set(self, reference: str) -> ChangeSet:
        """See `TaskService.change_set`."""
        other = await self._other(reference)
        if other is None:
            return await super().change_set(reference)
        return await other.change_set(reference)

    async def activities(self, reference: str) -> Sequence[Activity]:
        """See `TaskService.activities`."""
        other = await self._other(reference)
        if other is None:
            return await super().activities(reference)
        return await other.activities(reference)

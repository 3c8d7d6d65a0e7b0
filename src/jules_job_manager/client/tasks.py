"""Tasks as the service knows and changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

from jules_job_manager.client import models as m
from jules_job_manager.client.operations import Operations
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet, artifact_from_dict
from jules_job_manager.domain.clockwork import optional_from_rfc3339
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.references import task_id_from
from jules_job_manager.domain.task import JulesTask, NewTask, Source, TaskStatus
from jules_job_manager.errors import BackendConnectionError
from jules_job_manager.services.tasks import TaskList, TaskService, require_message


class RemoteTasks(TaskService):
    """`TaskService` by a service: what it says of each method holds here too."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        repository: str | None = None,
        include_archived: bool = False,
        limit: int = 100,
    ) -> TaskList:
        """See `TaskService.list_tasks`."""
        page = await self._operations.list_tasks(
            status=None if status is None else status.value, repository=repository,
            archived=include_archived, limit=limit, fresh=True,
        )  # fmt: skip
        failure = page.get("failure")
        return TaskList(
            tasks=tuple(JulesTask.from_dict(item) for item in page["items"]),
            stale_since=optional_from_rfc3339(page.get("stale_since")),
            failure=None if failure is None else BackendConnectionError(failure),
        )

    async def resolve(self, reference: str) -> str:
        """See `TaskService.resolve`."""
        return (await self._operations.resolve_task(task_id_from(reference)))["task_id"]

    async def get_task(self, reference: str) -> JulesTask:
        """See `TaskService.get_task`."""
        return JulesTask.from_dict(
            await self._operations.get_task(task_id_from(reference), fresh=True)
        )

    async def get_stored(self, reference: str) -> JulesTask:
        """See `TaskService.get_stored`."""
        return JulesTask.from_dict(await self._operations.get_task(task_id_from(reference)))

    async def create_task(self, new: NewTask) -> JulesTask:
        """See `TaskService.create_task`."""
        body = cast("m.NewTaskIn", asdict(self.checked(new)))
        return JulesTask.from_dict(await self._operations.create_task(body=body))

    async def send_message(self, reference: str, text: str) -> str:
        """See `TaskService.send_message`."""
        require_message(text)
        body: m.MessageIn = {"text": text}
        return (await self._operations.send_message(task_id_from(reference), body=body))["task_id"]

    async def approve_plan(self, reference: str, *, expected_plan: str | None = None) -> JulesTask:
        """See `TaskService.approve_plan`."""
        body: m.ApprovalIn = {"plan": expected_plan}
        return _acted(await self._operations.approve_plan(task_id_from(reference), body=body))

    async def decline_plan(self, task_id: str, plan: str) -> None:
        """Decline the plan with this fingerprint; see `Interventions.decline_plan`."""
        await self._operations.decline_plan(task_id, body={"plan": plan})

    async def resume_task(self, reference: str) -> JulesTask:
        """See `TaskService.resume_task`."""
        return _acted(await self._operations.resume_task(task_id_from(reference)))

    async def set_archived(self, reference: str, *, archived: bool) -> str:
        """See `TaskService.set_archived`."""
        body: m.TaskChangeIn = {"archived": archived}
        return (await self._operations.update_task(task_id_from(reference), body=body))["id"]

    async def delete_task(self, reference: str) -> str:
        """See `TaskService.delete_task`."""
        task_id = await self.resolve(reference)
        await self._operations.delete_task(task_id)
        return task_id

    async def plans(self, reference: str) -> Sequence[Plan]:
        """See `TaskService.plans`."""
        found = await self._operations.list_plans(task_id_from(reference), fresh=True)
        return [Plan.from_dict(plan) for plan in found]

    async def change_set(self, reference: str) -> ChangeSet:
        """See `TaskService.change_set`."""
        found = artifact_from_dict(await self._operations.get_change_set(task_id_from(reference)))
        assert isinstance(found, ChangeSet)
        return found

    async def activities(self, reference: str) -> Sequence[Activity]:
        """See `TaskService.activities`."""
        found = await self._operations.list_activities(task_id_from(reference), fresh=True)
        return [Activity.from_dict(activity) for activity in found]

    async def list_sources(self) -> Sequence[Source]:
        """See `TaskService.list_sources`."""
        return [
            Source(
                name=source["name"], repository=source["repository"],
                default_branch=source["default_branch"], branches=tuple(source["branches"]),
                is_private=source.get("is_private"),
            )
            for source in await self._operations.list_sources()
        ]  # fmt: skip


def _acted(answer: m.TaskActOut) -> JulesTask:
    task = answer.get("task")
    if task is not None:
        return JulesTask.from_dict(task)
    return JulesTask(id=answer["task_id"], status=TaskStatus(answer["status"]))

"""Watching one task at the service."""

from __future__ import annotations

from jules_job_manager.client.operations import Operations
from jules_job_manager.client.tasks import RemoteTasks
from jules_job_manager.domain.references import task_id_from
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.services.observer import Observer


class RemoteObserver(Observer):
    """Looks at a task through the service, which shares one budget among all who watch."""

    def __init__(self, operations: Operations, tasks: RemoteTasks) -> None:
        """Ask by `operations`."""
        self._operations = operations
        self._remote = tasks

    async def look_at(self, reference: str, *, fresh_seconds: float = 0.0) -> JulesTask:
        """See `Observer.look_at`."""
        status = await self._operations.get_task_status(
            task_id_from(reference), fresh=min(fresh_seconds, 3600.0)
        )
        return await self._remote.get_stored(status["task_id"])

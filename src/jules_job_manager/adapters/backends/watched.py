"""A backend whose calls are watched; all else about it stays as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.task import JulesTask, NewTask, Source, TaskStatus
from jules_job_manager.ports.backend import Backend, Capability, OperationOutcome
from jules_job_manager.ports.call_watcher import Call, CallWatcher


class WatchedBackend:
    """The Backend port, passing every call on, with watchers around it."""

    def __init__(self, backend: Backend, *, account: str, watchers: Sequence[CallWatcher]) -> None:
        """Pass calls on to `backend`, which is that of `account`."""
        self._backend = backend
        self._account = account
        self._watchers = tuple(watchers)

    @property
    def name(self) -> str:
        """The name of the backend."""
        return self._backend.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the backend can do."""
        return self._backend.capabilities

    @contextmanager
    def _watched(self, operation: str) -> Iterator[None]:
        call = Call(account=self._account, operation=operation)
        with ExitStack() as stack:
            for watcher in self._watchers:
                stack.enter_context(watcher.watching(call))
            yield

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        include_archived: bool = False,
        limit: int | None = None,
    ) -> Sequence[JulesTask]:
        """Return tasks, newest first."""
        with self._watched("list_tasks"):
            return await self._backend.list_tasks(
                status=status, include_archived=include_archived, limit=limit
            )

    async def iter_tasks(self, *, include_archived: bool = False) -> AsyncIterator[JulesTask]:
        """Yield tasks, newest first; each wait for the next one is a call."""
        tasks = aiter(self._backend.iter_tasks(include_archived=include_archived))
        while True:
            with self._watched("iter_tasks"):
                task = await anext(tasks, None)
            if task is None:
                return
            yield task

    async def get_task(self, task_id: str) -> JulesTask:
        """Return one task."""
        with self._watched("get_task"):
            return await self._backend.get_task(task_id)

    async def create_task(self, new: NewTask) -> JulesTask:
        """Create a task and return it."""
        with self._watched("create_task"):
            return await self._backend.create_task(new)

    async def send_message(self, task_id: str, text: str) -> None:
        """Send `text` to the task's conversation."""
        with self._watched("send_message"):
            await self._backend.send_message(task_id, text)

    async def approve_plan(self, task_id: str) -> OperationOutcome:
        """Approve the latest plan."""
        with self._watched("approve_plan"):
            return await self._backend.approve_plan(task_id)

    async def resume_task(self, task_id: str) -> OperationOutcome:
        """Make a paused task go on."""
        with self._watched("resume_task"):
            return await self._backend.resume_task(task_id)

    async def list_activities(
        self, task_id: str, *, after: str | None = None
    ) -> Sequence[Activity]:
        """Return activities, oldest first."""
        with self._watched("list_activities"):
            return await self._backend.list_activities(task_id, after=after)

    async def set_archived(self, task_id: str, archived: bool) -> None:
        """Archive the task, or bring it back."""
        with self._watched("set_archived"):
            await self._backend.set_archived(task_id, archived)

    async def delete_task(self, task_id: str) -> None:
        """Delete the task for good."""
        with self._watched("delete_task"):
            await self._backend.delete_task(task_id)

    async def list_sources(self) -> Sequence[Source]:
        """Return the repositories Jules may work on."""
        with self._watched("list_sources"):
            return await self._backend.list_sources()

    async def aclose(self) -> None:
        """Let go of connections and processes."""
        await self._backend.aclose()

"""JobManager of tickets JJM-006 to JJM-013: managing tasks from a synchronous script."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.bootstrap import App, open_app
from jules_job_manager.domain.task import JulesTask, NewTask, TaskStatus
from jules_job_manager.domain.text import safe_text, shorten
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.backend import Backend
from jules_job_manager.ports.store import Store
from jules_job_manager.scripting.background import Synchronous
from jules_job_manager.scripting.mcp_client import MCPClient
from jules_job_manager.scripting.storage import Storage
from jules_job_manager.services.monitoring import Look, watch
from jules_job_manager.services.observer import Observer
from jules_job_manager.services.tasks import TaskService
from jules_job_manager.settings.load import load_settings

T = TypeVar("T")


class JobManager(Synchronous):
    """Lists, creates, steers and watches tasks of Jules.

    `JobManager()` takes the way to reach Jules and the store from the configuration, as the
    command `jjm` does. Usable with `with`; otherwise call `close`. What goes wrong is a child of
    JulesManagerError.
    """

    def __init__(
        self,
        mcp_client: MCPClient | None = None,
        storage: Storage | None = None,
        *,
        config: str | None = None,
    ) -> None:
        """Bind the parts; those left out come from the configuration.

        Args:
            mcp_client: The MCP server to use; it stays the caller's to close.
            storage: Where tasks are kept; it stays the caller's to close.
            config: Configuration file; JJM_CONFIG and the home folder's own when None.

        Raises:
            ConfigurationError: a setting is wrong.
        """
        self._settings = load_settings(os.environ, config=config)
        super().__init__()
        self.mcp_client = mcp_client
        self.storage = storage
        self._stack = AsyncExitStack()
        self._tasks: TaskService | None = None
        self._app: App | None = None

    def list_tasks(self, status_filter: str | TaskStatus | None = None) -> list[JulesTask]:
        """Return tasks, newest change first: Jules' own merged with what is stored.

        When Jules cannot be reached, what is stored is returned.

        Args:
            status_filter: A status, or None or `all` for every one.

        Raises:
            InvalidInputError: there is no such status.
        """
        status = _status(status_filter)
        found = self._with_tasks(lambda tasks: tasks.list_tasks(status=status, limit=1000))
        return list(found.tasks)

    def get_task(self, task_id: str) -> JulesTask:
        """Return one task with its chat and files, asked afresh.

        Args:
            task_id: Id, its first characters, or a web address.

        Raises:
            TaskNotFoundError: Jules does not know it.
        """
        return self._with_tasks(lambda tasks: tasks.get_task(task_id))

    def create_task(self, description: str, repository: str, branch: str = "main") -> JulesTask:
        """Create a task in `repository` (`owner/name`) from `branch` and return it.

        Raises:
            InvalidInputError: an empty description, or a wrong repository or branch.
            UnclearOutcomeError: no clear answer; look before creating again.
        """
        new = NewTask(description=description, repository=repository, branch=branch)
        return self._with_tasks(lambda tasks: tasks.create_task(new))

    def send_message(self, task_id: str, message: str) -> bool:
        """Send a message to a task. Returns True; what fails raises.

        Raises:
            UnclearOutcomeError: it may have arrived; look before sending again.
        """
        self._with_tasks(lambda tasks: tasks.send_message(task_id, message))
        return True

    def approve_plan(self, task_id: str) -> bool:
        """Approve the plan that waits. Returns True; what fails raises.

        Raises:
            OperationFailedError: no plan waits for approval.
        """
        self._with_tasks(lambda tasks: tasks.approve_plan(task_id))
        return True

    def resume_task(self, task_id: str) -> bool:
        """Make a paused task go on. Returns True; what fails raises.

        Raises:
            OperationFailedError: the task is not paused.
        """
        self._with_tasks(lambda tasks: tasks.resume_task(task_id))
        return True

    def monitor_task(
        self, task_id: str, interval: float = 30, *, report: Callable[[str], None] = print
    ) -> None:
        """Look at the task every `interval` seconds until it is finished; Ctrl-C stops watching.

        Args:
            task_id: Id, its first characters, or a web address.
            interval: Seconds between two looks, >= 0.
            report: Gets a line whenever something changed.
        """
        said = ""

        async def work() -> None:
            nonlocal said
            tasks, (backend, store) = await self._service(), await self._parts()
            clock = SystemClock()
            observer = Observer(backend=backend, tasks=tasks, store=store, clock=clock)
            async for look in watch(observer, clock, task_id, interval_seconds=interval):
                line = _line(look)
                if line != said:
                    report(f"{look.at.astimezone():%H:%M:%S}  {line}")
                    said = line

        try:
            self._run(work)
        except KeyboardInterrupt:
            report("Monitoring stopped")

    async def _release(self) -> None:
        await self._stack.aclose()

    def _with_tasks(self, work: Callable[[TaskService], Awaitable[T]]) -> T:
        async def whole() -> T:
            return await work(await self._service())

        return self._run(whole)

    async def _service(self) -> TaskService:
        if self._tasks is None:
            backend, store = await self._parts()
            self._tasks = TaskService(backend=backend, store=store, clock=SystemClock())
        return self._tasks

    async def _parts(self) -> tuple[Backend, Store]:
        store = None if self.storage is None else await self.storage.store()
        backend = None if self.mcp_client is None else self.mcp_client.backend()
        if store is not None and backend is not None:
            return backend, store
        if self._app is None:
            self._app = await self._stack.enter_async_context(open_app(self._settings))
        return backend or self._app.backend, store or self._app.store


def _status(name: str | TaskStatus | None) -> TaskStatus | None:
    if name is None or name == "all":
        return None
    try:
        return TaskStatus(name)
    except ValueError as exc:
        words = ", ".join(status.value for status in TaskStatus)
        raise InvalidInputError(
            f"There is no status {shorten(str(name), 40)!r}.", hint=f"One of: all, {words}."
        ) from exc


def _line(look: Look) -> str:
    if look.failure is not None or look.task is None:
        return f"last look failed: {safe_text(look.failure or '')}"
    task = look.task
    said = f": {shorten(task.chat_history[-1].content, 100)}" if task.chat_history else ""
    return f"{task.status.value}, {len(task.source_files)} source files{said}"

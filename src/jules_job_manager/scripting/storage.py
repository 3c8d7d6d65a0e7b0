"""Storage of ticket JJM-005: a file of tasks, for scripts."""

from __future__ import annotations

from pathlib import Path

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.scripting.background import Synchronous

SQLITE_SUFFIXES = {".db", ".sqlite", ".sqlite3"}


class Storage(Synchronous):
    """Tasks in a JSON file, or in a SQLite file when its name ends in .db or .sqlite.

    The file and its folder are made when missing. Usable with `with`; otherwise call `close`.
    """

    def __init__(self, data_path: str | Path) -> None:
        """Name the file; it is opened with the first call."""
        super().__init__()
        self.data_path = Path(data_path).expanduser()
        self._store: Store | None = None

    async def store(self) -> Store:
        """Return the open store, on the shared loop.

        Raises:
            StoreError: it cannot be opened.
        """
        if self._store is None:
            self._store = await open_store(
                kind="sqlite" if self.data_path.suffix in SQLITE_SUFFIXES else "json",
                data_path=self.data_path, database_url="", fallback="error", clock=SystemClock(),
            )  # fmt: skip
        return self._store

    def save_task(self, task: JulesTask) -> None:
        """Insert or replace a task.

        Raises:
            StoreError: the file cannot be written.
        """

        async def work() -> None:
            await (await self.store()).tasks.save_tasks([task])

        self._run(work)

    def get_task(self, task_id: str) -> JulesTask | None:
        """Return a task with chat and files, or None.

        Raises:
            StoreError: the file cannot be read.
        """

        async def work() -> JulesTask | None:
            return await (await self.store()).tasks.get_task(task_id)

        return self._run(work)

    def list_tasks(self) -> list[JulesTask]:
        """Return all tasks, archived ones too, newest change first, without chat and files.

        Raises:
            StoreError: the file cannot be read.
        """

        async def work() -> list[JulesTask]:
            tasks = (await self.store()).tasks
            found: list[JulesTask] = []
            cursor: str | None = None
            while True:
                page = await tasks.list_tasks(
                    TaskQuery(include_archived=True, limit=1000, after=cursor)
                )
                found += page.tasks
                cursor = page.next_cursor
                if cursor is None:
                    return found

        return self._run(work)

    def delete_task(self, task_id: str) -> bool:
        """Forget a task. Returns whether it was there.

        Raises:
            StoreError: the file cannot be written.
        """

        async def work() -> bool:
            return await (await self.store()).tasks.delete_task(task_id)

        return self._run(work)

    async def _release(self) -> None:
        if self._store is not None:
            store, self._store = self._store, None
            await store.aclose()

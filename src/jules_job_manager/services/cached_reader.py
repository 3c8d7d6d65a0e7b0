"""A reader of tasks that asks the cache first."""

from __future__ import annotations

from jules_job_manager.domain.json_text import text_of
from jules_job_manager.ports.task_reader import TaskReader, TaskStanding, TextPage
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.task_cache import TaskCache


class CachedTaskReader:
    """The TaskReader port through a `TaskCache`. What it returns may be as old as the cache allows."""

    def __init__(self, cache: TaskCache, reader: TaskReader) -> None:
        """Read through `cache`; what it does not keep is read by `reader`."""
        self._cache = cache
        self._reader = reader

    async def task(self, task_id: str) -> str | None:
        """Return the text of the task with exactly this id, or None."""
        task = await self._cache.get_task(task_id)
        return None if task is None else text_of(task.to_dict())

    async def standing(self, task_id: str) -> TaskStanding | None:
        """Return where the task stands: from the store, because who asks watches it."""
        return await self._reader.standing(task_id)

    async def list_tasks(self, query: TaskQuery) -> TextPage:
        """Return one page."""
        if not self._cache.keeps(query):
            return await self._reader.list_tasks(query)
        page = await self._cache.list_tasks(query)
        items = tuple(text_of(task.to_dict()) for task in page.tasks)
        return TextPage(items=items, next_cursor=page.next_cursor)

    async def aclose(self) -> None:
        """Let go of what the reader holds; the cache is closed by its owner."""
        await self._reader.aclose()

"""The TaskReader port on any store: right, not fast."""

from __future__ import annotations

from jules_job_manager.domain.json_text import finite, text_of
from jules_job_manager.ports.task_reader import TaskStanding, TextPage, standing_of
from jules_job_manager.ports.task_store import TaskQuery, TaskStore


class StoreTaskReader:
    """Reads through the store, whose errors it raises."""

    def __init__(self, tasks: TaskStore) -> None:
        """Use the tasks of an open store, which is not closed here."""
        self._tasks = tasks

    async def task(self, task_id: str) -> str | None:
        """Return the text of the task with exactly this id, or None."""
        task = await self._tasks.get_task(task_id)
        return None if task is None else text_of(task.to_dict())

    async def standing(self, task_id: str) -> TaskStanding | None:
        """Return where the task stands, or None."""
        task = await self._tasks.get_task(task_id)
        return None if task is None else standing_of(task)

    async def list_tasks(self, query: TaskQuery) -> TextPage:
        """Return one page."""
        page = await self._tasks.list_tasks(query)
        items = tuple(finite(text_of(task.to_dict())) for task in page.tasks)
        return TextPage(items=items, next_cursor=page.next_cursor)

    async def aclose(self) -> None:
        """Do nothing: the store is another's."""

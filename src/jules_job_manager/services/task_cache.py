"""Reading tasks through a cache, for faces that only show them.

Whoever changes a task reads the store itself. What is kept is forgotten as the event log says, so
it does not matter who changed a task.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.event_filter import EventFilter
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.cache import Cache, Found
from jules_job_manager.ports.task_store import TaskPage, TaskQuery, TaskStore
from jules_job_manager.services.live import LiveEvents

_TASK = "task:"
_LOOK = "health:look"
_LOOK_SECONDS = 60.0
_LISTS = [f"tasks:list:{name}" for name in ("all", *(status.value for status in TaskStatus))]


@dataclass(kw_only=True, slots=True)
class CacheCounts:
    """Counted since the start."""

    hits: int = 0
    misses: int = 0
    errors: int = 0
    """Reads that the cache could not answer, so that the store was asked."""
    forgotten: int = 0


class TaskCache:
    """Tasks by id (`task:{id}`) and first pages of lists (`tasks:list:{status}`)."""

    def __init__(
        self,
        *,
        tasks: TaskStore,
        cache: Cache,
        task_seconds: float = 300.0,
        list_seconds: float = 60.0,
        list_limit: int = 100,
        count: Callable[[str], None] | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            tasks: The truth.
            cache: Keeps what was read.
            task_seconds: How long a task is kept, > 0.
            list_seconds: How long a list is kept, > 0.
            list_limit: Size of the pages that are kept; others are read from the store.
            count: Told `hit`, `miss` or, when the cache is away, `error` each time, for metrics.
        """
        self._tasks = tasks
        self._cache = cache
        self._task_seconds = task_seconds
        self._list_seconds = list_seconds
        self._list_limit = list_limit
        self._count = count
        self.counts = CacheCounts()

    async def get_task(self, task_id: str) -> JulesTask | None:
        """Return the task with chat and files, or None."""
        key = f"{_TASK}{task_id}"
        found = await self._cache.get(key)
        if self._is_hit(found):
            return JulesTask.from_dict(json.loads(found.value or ""))
        task = await self._tasks.get_task(task_id)
        if task is not None:
            text = json.dumps(task.to_dict(), separators=(",", ":"))
            await self._cache.put(key, text, seconds=self._task_seconds, stamp=found.stamp)
        return task

    def keeps(self, query: TaskQuery) -> bool:
        """Whether the answer to this query may be kept: the first page of a status, or of all."""
        return query == TaskQuery(status=query.status, limit=self._list_limit)

    async def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return one page, newest change first; the first page of a status may be a kept one."""
        if not self.keeps(query):
            return await self._tasks.list_tasks(query)
        key = f"tasks:list:{query.status.value if query.status is not None else 'all'}"
        found = await self._cache.get(key)
        if self._is_hit(found):
            kept = json.loads(found.value or "")
            tasks = tuple(JulesTask.from_dict(item) for item in kept["tasks"])
            return TaskPage(tasks=tasks, next_cursor=kept["next_cursor"])
        page = await self._tasks.list_tasks(query)
        text = json.dumps(
            {"tasks": [task.to_dict() for task in page.tasks], "next_cursor": page.next_cursor},
            separators=(",", ":"),
        )
        await self._cache.put(key, text, seconds=self._list_seconds, stamp=found.stamp)
        return page

    async def look(self) -> str:
        """Read and write the cache; return why it does not work, one sentence, or an empty text."""
        found = await self._cache.get(_LOOK)
        await self._cache.put(_LOOK, "", seconds=_LOOK_SECONDS, stamp=found.stamp)
        return self._cache.trouble

    async def forget_changed(self, live: LiveEvents) -> None:
        """Forget what events say has changed, until `live` stops; lists at once, as nobody looked before."""
        about_tasks = EventFilter(subject_prefixes=(_TASK,))
        while not live.is_stopped:
            try:
                await self._cache.forget(_LISTS)
                async with aclosing(live.follow(matching=about_tasks)) as following:
                    async for found in following:
                        if isinstance(found, Event):
                            await self._cache.forget([found.subject, *_LISTS])
                            self.counts.forgotten += 1
            except StoreError:  # the log is not there yet; `follow` has waited for it
                continue

    def _is_hit(self, found: Found) -> bool:
        if found.value is not None:
            self.counts.hits += 1
            outcome = "hit"
        elif found.is_away:
            self.counts.errors += 1
            outcome = "error"
        else:
            self.counts.misses += 1
            outcome = "miss"
        if self._count is not None:
            self._count(outcome)
        return found.value is not None

"""Watching the tasks of one account within an API budget.

One list call per hundred tasks; activities only of tasks that changed or were not looked at for a
while. Shared by everything that watches, so that two watchers cost no more than one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jules_job_manager.domain.budget import Budget
from jules_job_manager.domain.quota import EDGE, WINDOW
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import TaskNotFoundError
from jules_job_manager.ports.backend import Backend, Capability
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.stored_tasks import asking_for
from jules_job_manager.services.tasks import LAST_LOOK_NOTE, TaskService

ACTIVITY_LISTS_PER_MINUTE = 120
MOST_LISTED = 1000
"""Tasks read from the newest on; a live one further back is asked for by itself."""
LIST_ALL_EVERY = timedelta(seconds=50)
"""How often the whole list is read; in between, reading stops where nothing more matters."""
NOT_FOUND_PATIENCE = timedelta(minutes=1)
"""A task just created may be unknown for a while. Source: Jules REST reference, 404 after create."""
INTERVALS: Mapping[TaskStatus, timedelta] = {
    TaskStatus.PENDING: timedelta(seconds=60),
    TaskStatus.IN_PROGRESS: timedelta(seconds=120),
    TaskStatus.UNKNOWN: timedelta(seconds=120),
    TaskStatus.WAITING_APPROVAL: timedelta(seconds=60),
    TaskStatus.WAITING_FEEDBACK: timedelta(seconds=60),
    TaskStatus.PAUSED: timedelta(seconds=300),
    TaskStatus.COMPLETED: timedelta(seconds=300),
    TaskStatus.FAILED: timedelta(seconds=600),
    TaskStatus.CANCELLED: timedelta(seconds=600),
}
"""How long a task that seems unchanged goes without a look at its activities: the list may lag."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one look found."""

    tasks: Mapping[str, JulesTask] = field(default_factory=dict)
    """The watched tasks that are known, whole, by id. One that was deleted is CANCELLED."""
    starts: Mapping[str, datetime] = field(default_factory=dict)
    """Creation times of every known task of the account that may still count, by id."""
    at_work: int = 0
    """Tasks of the account that are not finished."""
    is_complete: bool = False
    """Whether every task was listed (up to MOST_LISTED), not only those that matter to a quota."""
    postponed: int = 0
    """Watched tasks that changed and could not be read within the budget: the next look does."""


class Observer:
    """Looks at the tasks of one account."""

    def __init__(
        self,
        *,
        backend: Backend,
        tasks: TaskService,
        store: Store,
        clock: Clock,
        per_minute: float = ACTIVITY_LISTS_PER_MINUTE,
        intervals: Mapping[TaskStatus, timedelta] = INTERVALS,
    ) -> None:
        """Bind the account.

        Args:
            backend: Where tasks are listed.
            tasks: Keeps what was seen; publishes each change once.
            store: Where seen tasks are.
            clock: Tells the time.
            per_minute: Most activity lists a minute, > 0.
            intervals: How long a task of each status goes without one.
        """
        self._backend = backend
        self._tasks = tasks
        self._store = store
        self._clock = clock
        self._intervals = intervals
        self._budget = Budget.full(per_minute, clock.monotonic_seconds())
        self._seen: dict[str, object] = {}
        """What changes with any change of a task, as last listed."""
        self._listed: dict[str, JulesTask] = {}
        """The watched tasks, as last listed."""
        self._whole: dict[str, JulesTask] = {}
        self._read_at: dict[str, datetime] = {}
        self._stale: set[str] = set()
        """Watched tasks that changed since their activities were read."""
        self._starts: dict[str, datetime] | None = None
        self._open: set[str] = set()
        """Tasks that were not finished when they were last listed."""
        self._listed_all_at: datetime | None = None
        self._since: Mapping[str, datetime] = {}

    async def look(self, watched: Collection[str], *, since: Mapping[str, datetime]) -> Look:
        """Ask Jules what changed.

        Args:
            watched: Ids of the tasks to know whole.
            since: When each watched task was last dealt with; a task unknown to Jules counts as
                deleted only a while after.

        Raises:
            BackendConnectionError, OperationFailedError, AuthenticationError: the look failed.
        """
        self._since = since
        self._forget(watched)
        now = self._clock.now()
        whole = self._listed_all_at is None or now - self._listed_all_at >= LIST_ALL_EVERY
        await self._read_missing(await self._list(set(watched), whole=whole))
        if whole:
            self._listed_all_at = now
        postponed = await self._read_changed(set(watched))
        tasks = {key: self._whole[key] for key in watched if key in self._whole}
        if not self._lists_status():
            self._open = {key for key, task in tasks.items() if not task.status.is_finished}
        return Look(
            tasks=tasks,
            starts=self._counted(),
            at_work=len(self._open),
            is_complete=whole,
            postponed=postponed,
        )

    async def look_at(self, reference: str, *, fresh_seconds: float = 0.0) -> JulesTask:
        """Return one task whole, for somebody who watches it: the budget is the same one.

        How the task stands comes from the store when a running worker listed the account no more
        than `fresh_seconds` ago, else from Jules. What happened in it is asked for while the
        budget has a call left; without one, what is stored stands for it.

        Args:
            reference: Id of the task, its first characters, or a web address.
            fresh_seconds: >= 0.

        Raises:
            TaskNotFoundError: Jules does not know it.
            BackendConnectionError, OperationFailedError, AuthenticationError: the look failed.
        """
        task_id = await self._tasks.resolve(reference)
        task = await self._as_listed(task_id, fresh_seconds)
        if task is None:
            with asking_for(task_id):
                task = await self._backend.get_task(task_id)
            await self._tasks.record([task])
        left = self._budget.taken(self._clock.monotonic_seconds())
        if left is None:
            return await self._tasks.get_stored(task_id)
        self._budget = left
        return await self._tasks.refresh(task)

    async def _as_listed(self, task_id: str, fresh_seconds: float) -> JulesTask | None:
        """Return the stored task if a worker has just listed the account it is in."""
        moment, _, name = (await self._store.get_note(LAST_LOOK_NOTE) or "").partition(" ")
        if not moment or name != self._backend.name or not self._lists_status():
            return None
        age = (self._clock.now() - datetime.fromisoformat(moment)).total_seconds()
        known = await self._store.tasks.get_task(task_id)
        if not 0 <= age <= fresh_seconds or known is None or known.backend != name:
            return None
        return known

    def touched(self, task_id: str) -> None:
        """Say that something was sent to a task: its activities are read at the next look."""
        self._stale.add(task_id)

    def _forget(self, watched: Collection[str]) -> None:
        for known in (self._whole, self._read_at, self._listed):
            for task_id in known.keys() - set(watched):
                del known[task_id]
        self._stale &= set(watched)

    async def _list(self, watched: set[str], *, whole: bool) -> set[str]:
        """Read lists until every watched task and the whole window were seen, or to the end.

        Returns:
            The watched tasks that no list showed.
        """
        if not self._lists_status():
            self._stale |= watched  # nothing but a look at each tells how it stands
            return set()
        edge = self._clock.now() - WINDOW - EDGE
        starts = await self._known_starts()
        left, changed, seen = set(watched), [], set()
        async for task in self._backend.iter_tasks(include_archived=True):
            seen.add(task.id)
            left.discard(task.id)
            (self._open.discard if task.status.is_finished else self._open.add)(task.id)
            if task.created_at is not None and task.created_at > edge:
                starts[task.id] = task.created_at
            if task.id in watched:
                self._listed[task.id] = task
            if self._seen.get(task.id) != _signature(task):
                changed.append(task)
            old = task.created_at is not None and task.created_at <= edge
            if len(seen) >= MOST_LISTED or (not whole and not left and old):
                break
        if whole:
            if len(seen) < MOST_LISTED:
                await self._note_deleted(self._open - seen - watched)
            self._open &= seen
        await self._note(changed, watched)
        self._stale |= {task_id for task_id in watched - left if self._is_due(task_id)}
        return left

    async def _note(self, changed: list[JulesTask], watched: set[str]) -> None:
        if changed:
            await self._tasks.record(changed)
        for task in changed:
            self._seen[task.id] = _signature(task)
            if task.id in watched:
                self._stale.add(task.id)

    async def _note_deleted(self, missing: set[str]) -> None:
        """Let the store know that tasks which were at work are on no list any more."""
        edge, deleted = self._clock.now() - NOT_FOUND_PATIENCE, []
        for task_id in sorted(missing):
            with contextlib.suppress(TaskNotFoundError):
                known = await self._tasks.get_stored(task_id)
                if known.created_at is None or known.created_at <= edge:
                    deleted.append(_deleted(known))
        if deleted:
            await self._tasks.record(deleted)
        for task in deleted:
            self._seen.pop(task.id, None)

    async def _known_starts(self) -> dict[str, datetime]:
        """Return creation times, at first those of the store: a task may since have been deleted."""
        edge = self._clock.now() - WINDOW - EDGE
        if self._starts is None:
            query = TaskQuery(backend=self._backend.name, include_archived=True, limit=MOST_LISTED)
            page = await self._store.tasks.list_tasks(query)
            self._starts = {t.id: t.created_at for t in page.tasks if t.created_at is not None}
            self._open = {task.id for task in page.tasks if not task.status.is_finished}
        self._starts = {key: at for key, at in self._starts.items() if at > edge}
        return self._starts

    def _counted(self) -> Mapping[str, datetime]:
        return dict(self._starts or {})

    def _is_due(self, task_id: str) -> bool:
        read, whole = self._read_at.get(task_id), self._whole.get(task_id)
        if read is None or whole is None:
            return True
        return self._clock.now() - read >= self._intervals[whole.status]

    async def _read_missing(self, missing: set[str]) -> None:
        """Ask one by one for watched tasks that no list showed."""
        for task_id in sorted(missing):
            if not self._is_due(task_id):
                continue
            try:
                self._whole[task_id] = await self._tasks.get_task(task_id)
            except TaskNotFoundError:
                await self._gone(task_id)
            else:
                self._read_at[task_id] = self._clock.now()
                self._stale.discard(task_id)

    def _lists_status(self) -> bool:
        return Capability.LIST_STATUS in self._backend.capabilities

    async def _read_changed(self, watched: set[str]) -> int:
        """Read the activities of changed tasks, those nobody read longest first; count the rest."""
        never = datetime.min.replace(tzinfo=self._clock.now().tzinfo)
        waiting = sorted(
            self._stale & watched, key=lambda key: (self._read_at.get(key, never), key)
        )
        for index, task_id in enumerate(waiting):
            left = self._budget.taken(self._clock.monotonic_seconds())
            if left is None:
                return len(waiting) - index
            self._budget = left
            await self._read(task_id)
        return 0

    async def _read(self, task_id: str) -> None:
        try:
            listed = self._listed.get(task_id)
            if listed is not None:
                await self._tasks.record([listed])
                self._whole[task_id] = await self._tasks.refresh(listed)
            else:
                self._whole[task_id] = await self._tasks.get_task(task_id)
        except TaskNotFoundError:
            await self._gone(task_id)
            return
        self._read_at[task_id] = self._clock.now()
        self._stale.discard(task_id)

    async def _gone(self, task_id: str) -> None:
        dealt = self._since.get(task_id)
        if dealt is not None and self._clock.now() - dealt < NOT_FOUND_PATIENCE:
            return
        try:
            gone = _deleted(await self._tasks.get_stored(task_id))
        except TaskNotFoundError:
            gone = _deleted(JulesTask(id=task_id))
        else:
            await self._tasks.record([gone])
            self._seen.pop(task_id, None)
        self._whole[task_id] = gone


def _deleted(task: JulesTask) -> JulesTask:
    return replace(task, status=TaskStatus.CANCELLED, raw_state="deleted")


def _signature(task: JulesTask) -> object:
    return (task.status, task.raw_state, task.updated_at)

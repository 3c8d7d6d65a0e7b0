"""Where tasks and all that Jules ever said about them are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask, TaskStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskQuery:
    """Which tasks to list, newest change first, or with `oldest_first` the other way round.

    `after` is the `next_cursor` of the page before. `limit` is 1 to 1000. `backend` None lists
    the tasks of every backend.
    """

    status: TaskStatus | None = None
    repository: str | None = None
    backend: str | None = None
    include_archived: bool = False
    limit: int = 100
    after: str | None = None
    oldest_first: bool = False
    search: str = ""
    """Only tasks with this text in their id, title or description, whatever the case of ASCII letters."""
    changed_since: datetime | None = None
    """Only tasks whose last change (the order of the list) is at or after this time."""
    changed_before: datetime | None = None
    created_since: datetime | None = None
    created_before: datetime | None = None

    @property
    def may_look_at_all(self) -> bool:
        """Whether no index answers it: the time it takes grows with the tasks that there are."""
        is_by_creation = self.created_since is not None or self.created_before is not None
        return bool(self.search) or is_by_creation


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskPage:
    """Tasks without their chat and files, and the cursor of the next page (None: the last)."""

    tasks: tuple[JulesTask, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenStatus:
    """The status a task was last seen with, in our word and in the backend's own."""

    status: TaskStatus
    raw_state: str


class TaskStore(Protocol):
    """Keeps tasks, activities and every plan and patch that was ever returned.

    Saving is an upsert by id and also appends the events given with it, in one transaction.
    Nothing that was kept is ever dropped by a save: plans and patches that a newer answer no
    longer has stay readable through `list_plans` and `list_patches`.
    Every method may raise StoreUnavailableError and DamagedStoreError.
    """

    async def save_tasks(self, tasks: Sequence[JulesTask], events: Sequence[NewEvent] = ()) -> None:
        """Insert or replace tasks, whole.

        A task with an empty `chat_history` or `source_files` or with `plan` None keeps what was
        stored of these, because list answers do not carry them.
        """
        ...

    async def get_task(self, task_id: str) -> JulesTask | None:
        """Return the task with chat and files, or None."""
        ...

    async def statuses(self, task_ids: Sequence[str]) -> Mapping[str, SeenStatus]:
        """Return the status of each of these tasks that is stored, by the id asked for."""
        ...

    async def find_task_ids(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return ids that start with `prefix`, at most `limit`, in text order."""
        ...

    async def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return one page, newest change first; the order is total, so no task is lost between pages."""
        ...

    async def delete_task(self, task_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """Forget the task, its activities, plans and patches (its events stay). False when unknown."""
        ...

    async def add_activities(
        self, task_id: str, activities: Sequence[Activity], events: Sequence[NewEvent] = ()
    ) -> Sequence[Activity]:
        """Append activities not yet known by id; return the new ones. The task must be stored."""
        ...

    async def list_activities(self, task_id: str) -> Sequence[Activity]:
        """Return the task's activities, oldest first."""
        ...

    async def list_plans(self, task_id: str) -> Sequence[Plan]:
        """Return every different plan ever seen for the task, oldest first."""
        ...

    async def list_patches(self, task_id: str) -> Sequence[ChangeSet]:
        """Return every different patch ever seen for the task (in outputs or activities), oldest first."""
        ...

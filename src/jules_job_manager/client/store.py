"""What the service keeps, to be read. Changes go through its operations, never through a store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn, Self

from jules_job_manager.client.operations import Operations
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet, artifact_from_dict
from jules_job_manager.domain.clockwork import from_rfc3339, optional_to_rfc3339
from jules_job_manager.domain.event import Event
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import JobNotFoundError, TaskNotFoundError, UnsupportedOperationError
from jules_job_manager.ports.job_store import JobQuery, QueueStanding
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.task_store import SeenStatus, TaskPage, TaskQuery

_PAGE = 1000


def here_only() -> NoReturn:
    """Refuse what a service does not do for a command.

    Raises:
        UnsupportedOperationError: always.
    """
    raise UnsupportedOperationError(
        "This works only on the machine that has the store.",
        hint="Run it there, without --server (and without JJM_SERVER and client.server).",
    )


class RemoteTaskStore:
    """The reading half of the TaskStore port."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def get_task(self, task_id: str) -> JulesTask | None:
        """Return the task with chat and files, or None."""
        try:
            found = JulesTask.from_dict(await self._operations.get_task(task_id))
        except TaskNotFoundError:
            return None
        return found if found.id == task_id else None  # its first characters were another's

    async def statuses(self, task_ids: Sequence[str]) -> Mapping[str, SeenStatus]:
        """Return the status of each of these tasks that is stored."""
        found = {}
        for task_id in task_ids:
            task = await self.get_task(task_id)
            if task is not None:
                found[task_id] = SeenStatus(status=task.status, raw_state=task.raw_state)
        return found

    async def find_task_ids(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return the one id that starts with `prefix`; when there are several the service says so."""
        del limit
        found = (await self._operations.resolve_task(prefix))["task_id"]
        return [found]

    async def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return one page."""
        page = await self._operations.list_tasks(
            status=None if query.status is None else query.status.value,
            repository=query.repository, backend=query.backend, archived=query.include_archived,
            q=query.search or None, sort="changed" if query.oldest_first else "-changed",
            changed_since=optional_to_rfc3339(query.changed_since),
            changed_before=optional_to_rfc3339(query.changed_before),
            created_since=optional_to_rfc3339(query.created_since),
            created_before=optional_to_rfc3339(query.created_before),
            limit=query.limit, cursor=query.after,
        )  # fmt: skip
        tasks = tuple(JulesTask.from_dict(item) for item in page["items"])
        return TaskPage(tasks=tasks, next_cursor=page.get("next_cursor"))

    async def list_activities(self, task_id: str) -> Sequence[Activity]:
        """Return the task's activities, oldest first."""
        try:
            found = await self._operations.list_activities(task_id)
        except TaskNotFoundError:
            return []
        return [Activity.from_dict(item) for item in found]

    async def list_plans(self, task_id: str) -> Sequence[Plan]:
        """Return every plan ever seen for the task, oldest first."""
        try:
            return [Plan.from_dict(item) for item in await self._operations.list_plans(task_id)]
        except TaskNotFoundError:
            return []

    async def list_patches(self, task_id: str) -> Sequence[ChangeSet]:
        """Return every patch ever seen for the task, oldest first."""
        try:
            items = await self._operations.list_patches(task_id)
        except TaskNotFoundError:
            return []
        found = [artifact_from_dict(item) for item in items]
        return [patch for patch in found if isinstance(patch, ChangeSet)]

    async def save_tasks(self, *_: Any, **__: Any) -> None:
        """Refuse it."""
        here_only()

    async def delete_task(self, *_: Any, **__: Any) -> bool:
        """Refuse it."""
        here_only()

    async def add_activities(self, *_: Any, **__: Any) -> Sequence[Activity]:
        """Refuse it."""
        here_only()


class RemoteJobStore:
    """The reading half of the JobStore port."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    def fenced(self, lease: Lease) -> Self:
        """Refuse it."""
        del lease
        here_only()

    async def get_job(self, key: str) -> Job | None:
        """Return the job, or None."""
        try:
            found = Job.from_dict(await self._operations.get_job(key))
        except JobNotFoundError:
            return None
        return found if found.key == key else None

    async def list_jobs(self, query: JobQuery | None = None) -> Sequence[Job]:
        """Return jobs in the order of the query."""
        query = query or JobQuery()
        found: list[Job] = []
        cursor: str | None = None
        while True:
            left = _PAGE if query.limit is None else min(_PAGE, query.limit - len(found))
            page = await self._operations.list_jobs(
                status=None if query.status is None else query.status.value,
                priority=None if query.priority is None else query.priority.value,
                repository=query.repository, backlog=query.backlog, q=query.search or None,
                sort=query.sort, limit=left, cursor=cursor,
            )  # fmt: skip
            found += [Job.from_dict(item) for item in page["items"]]
            cursor = page.get("next_cursor")
            if cursor is None or (query.limit is not None and len(found) >= query.limit):
                return found

    async def standing(self, chosen: Collection[JobStatus]) -> QueueStanding:
        """Return how all jobs stand, and the keys of those with a `chosen` status."""
        found = await self._operations.get_queue()
        jobs = [job for status in chosen for job in await self.list_jobs(JobQuery(status=status))]
        jobs.sort(key=lambda job: (job.backlog, job.position, job.key))
        return QueueStanding(
            counts={JobStatus(status): n for status, n in found["counts"].items() if n},
            chosen=tuple(job.key for job in jobs), startable=tuple(found["next"]),
        )  # fmt: skip

    async def list_attempts(
        self, job_key: str | None = None, *, live_only: bool = False
    ) -> Sequence[Attempt]:
        """Return all attempts, or those of one job, by job and number."""
        found: list[Attempt] = []
        cursor: str | None = None
        while True:
            page = await self._operations.list_attempts(
                job=job_key, live=live_only, limit=_PAGE, cursor=cursor
            )
            found += [Attempt.from_dict(item) for item in page["items"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                return found

    async def list_reviews(self, job_key: str) -> Sequence[Review]:
        """Return the job's reviews, oldest first."""
        found: list[Review] = []
        cursor: str | None = None
        while True:
            page = await self._operations.list_reviews(job=job_key, limit=_PAGE, cursor=cursor)
            found += [Review.from_dict(item) for item in page["items"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                return found

    async def save_jobs(self, *_: Any, **__: Any) -> None:
        """Refuse it."""
        here_only()

    async def swap_jobs(self, *_: Any, **__: Any) -> bool:
        """Refuse it."""
        here_only()

    async def delete_jobs(self, *_: Any, **__: Any) -> int:
        """Refuse it."""
        here_only()

    async def save_attempt(self, *_: Any, **__: Any) -> None:
        """Refuse it."""
        here_only()

    async def save_review(self, *_: Any, **__: Any) -> None:
        """Refuse it."""
        here_only()


class RemoteEventLog:
    """The reading half of the EventLog port."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def append(self, *_: Any, **__: Any) -> Sequence[Event]:
        """Refuse it."""
        here_only()

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        after_id: int = 0,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first."""
        kind, _, name = (subject or "").partition(":")
        # A star at the end of a `subject` means all that begin so.
        is_by_name = kind in {"task", "job"} and name.endswith("*")
        page = await self._operations.list_events(
            subject=None if subject is None or is_by_name else [subject],
            task=[name] if is_by_name and kind == "task" else None,
            job=[name] if is_by_name and kind == "job" else None,
            type=None if type is None else [str(type)],
            after=after_id,
            limit=limit,
        )
        return [
            Event(
                id=item["id"], type=item["type"], subject=item["subject"],
                at=from_rfc3339(item["at"]), actor=item["actor"], data=item["data"],
            )
            for item in page["items"]
        ]  # fmt: skip

    async def last_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        return (await self._operations.list_events(limit=1))["last_id"]


class RemoteStore:
    """What the service keeps."""

    kind = "service"
    warning = ""

    def __init__(self, operations: Operations, address: str) -> None:
        """Ask by `operations`; `address` is shown."""
        self.location = address
        self.tasks = RemoteTaskStore(operations)
        self.jobs = RemoteJobStore(operations)
        self.events = RemoteEventLog(operations)

    def __getattr__(self, name: str) -> Any:
        """Refuse whatever else a store has: leases, the ledger, keys."""
        if name.startswith("_"):
            raise AttributeError(name)
        here_only()

    async def get_note(self, name: str) -> str | None:
        """Refuse it."""
        del name
        here_only()

    async def set_note(self, name: str, value: str) -> None:
        """Refuse it."""
        del name, value
        here_only()

    async def aclose(self) -> None:
        """Do nothing: the connection is closed by its owner."""

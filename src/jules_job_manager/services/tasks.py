"""Managing tasks: list, get, create, talk, approve, resume, archive, delete.

Everything a backend tells is kept in the store before it is returned, and every change is
written as an event in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.references import repository_from, require_branch
from jules_job_manager.domain.task import ChatMessage, JulesTask, NewTask, Source, TaskStatus
from jules_job_manager.domain.task_view import latest_change_set, with_activities
from jules_job_manager.errors import (
    BackendConnectionError,
    InvalidInputError,
    NotRecordedError,
    OperationFailedError,
    PlanChangedError,
    StoreError,
    TaskNotFoundError,
)
from jules_job_manager.ports.backend import Backend, Capability, OperationOutcome
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.stored_tasks import asking_for, resolve_task, stored_task

LAST_LOOK_NOTE = "observer.last_look"
"""Note in the store: when a running worker last looked at all of Jules (RFC 3339), a space, and the
backend's name. Empty once it has ended. What is stored is then as fresh as asking Jules oneself."""

_UNTOLD = frozenset({TaskStatus.PENDING, TaskStatus.UNKNOWN})
"""What a backend says of a task whose status its lists do not tell."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskList:
    """Tasks, newest change first. `stale_since` is set when Jules could not be asked."""

    tasks: tuple[JulesTask, ...]
    stale_since: datetime | None = None
    failure: BackendConnectionError | None = None


class TaskService:
    """Tasks of one backend, kept in one store."""

    def __init__(self, *, backend: Backend, store: Store, clock: Clock, actor: str = "jjm") -> None:
        """Bind the backend and the store; `actor` is who events name."""
        self._backend = backend
        self._store = store
        self._clock = clock
        self._actor = actor

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        repository: str | None = None,
        include_archived: bool = False,
        limit: int = 100,
    ) -> TaskList:
        """Ask Jules for its tasks, keep them, and return them merged with what is stored.

        When Jules cannot be reached the stored tasks are returned, marked with their age.

        Args:
            limit: Most tasks returned, 1 to 1000.

        Raises:
            AuthenticationError, OperationFailedError, StoreError: see the ports.
        """
        failure: BackendConnectionError | None = None
        try:
            fresh = await self._backend.list_tasks(include_archived=include_archived, limit=limit)
            await self._keep(await self._with_known_status(fresh))
        except BackendConnectionError as exc:
            _LOG.warning("showing stored tasks: %s", exc, extra={"action": "list_fallback"})
            failure = exc
        page = await self._store.tasks.list_tasks(
            TaskQuery(
                status=status, repository=repository, backend=self._backend.name,
                include_archived=include_archived, limit=limit,
            )
        )  # fmt: skip
        if failure is None:
            return TaskList(tasks=page.tasks)
        if not page.tasks:
            raise failure
        seen = [task.seen_at for task in page.tasks if task.seen_at is not None]
        return TaskList(tasks=page.tasks, stale_since=min(seen, default=None), failure=failure)

    async def resolve(self, reference: str) -> str:
        """Return the full task id for an id, the first characters of one, or a web address.

        Raises:
            InvalidInputError: it is none of these, or more than one stored task starts so.
        """
        return await resolve_task(self._store, reference)

    async def get_task(self, reference: str) -> JulesTask:
        """Ask Jules for one task and its new activities, keep them, and return the whole.

        Raises:
            TaskNotFoundError: Jules does not know it.
            BackendConnectionError: Jules cannot be reached (`get_stored` may still know it).
        """
        task_id = await self.resolve(reference)
        with asking_for(task_id):
            fresh = await self._backend.get_task(task_id)
        await self._keep([fresh])
        return await self.refresh(fresh)

    async def record(self, tasks: Sequence[JulesTask]) -> None:
        """Keep tasks as a list of the backend told them, with an event for each new status."""
        await self._keep(await self._with_known_status(tasks))

    async def refresh(self, task: JulesTask) -> JulesTask:
        """Ask for the new activities of a task just read, keep them, and return the whole."""
        if Capability.ACTIVITIES not in self._backend.capabilities:
            return await self.get_stored(task.id)
        await self._keep_activities(task)
        complete = await self._enriched(task.id)
        await self._store.tasks.save_tasks([complete])
        return complete

    async def get_stored(self, reference: str) -> JulesTask:
        """Return what the store knows of a task, without asking Jules.

        Raises:
            TaskNotFoundError: the store does not know it.
        """
        return await stored_task(self._store, reference)

    async def create_task(self, new: NewTask) -> JulesTask:
        """Create a task and keep it. Nothing is sent when the input cannot be right.

        Raises:
            InvalidInputError: an empty description, or a wrong repository or branch.
            QuotaExceededError, PreconditionFailedError, UnclearOutcomeError: see the backend.
            NotRecordedError: it was created, and the store failed.
        """
        created = await self._backend.create_task(self.checked(new))
        event = self._event(EventType.TASK_CREATED, created.id, title=created.title)
        with _recording(f"Task {created.id} was created", created.id):
            await self._keep([created], [event])
        return created

    def checked(self, new: NewTask) -> NewTask:
        """Return `new` in the form the backend gets.

        Raises:
            InvalidInputError: an empty description, or a wrong repository or branch.
        """
        if not new.description.strip():
            raise InvalidInputError(
                "The description is empty.", hint="Say what Jules shall do, with --description."
            )
        repository = repository_from(new.repository) if new.repository else ""
        branch = require_branch(new.branch) if repository else new.branch
        return replace(new, repository=repository, branch=branch)

    async def send_message(self, reference: str, text: str) -> str:
        """Send `text` to the task and keep it in the conversation; return the task's id.

        Raises:
            InvalidInputError: the text is empty.
            UnclearOutcomeError: it may have arrived; look before sending again.
            NotRecordedError: it was sent, and the store failed.
        """
        require_message(text)
        task_id = await self.resolve(reference)
        with asking_for(task_id):
            await self._backend.send_message(task_id, text)
        with _recording(f"The message was sent to task {task_id}", task_id):
            await self._keep_message(task_id, text)
        return task_id

    async def _keep_message(self, task_id: str, text: str) -> None:
        event = self._event(EventType.MESSAGE_SENT, task_id, text=text)
        stored = await self._store.tasks.get_task(task_id)
        if stored is None or Capability.ACTIVITIES in self._backend.capabilities:
            await self._store.events.append([event])
            return
        message = ChatMessage(content=text, timestamp=self._clock.now(), type="user")
        await self._store.tasks.save_tasks(
            [replace(stored, chat_history=(*stored.chat_history, message))], [event]
        )

    async def approve_plan(self, reference: str, *, expected_plan: str | None = None) -> JulesTask:
        """Approve the plan that waits.

        Args:
            expected_plan: `Plan.fingerprint` of the plan that was shown, or None. The approval
                carries no plan id, so the plan is read again just before.

        Raises:
            PlanChangedError: another plan waits than the one shown.
            OperationFailedError: no plan waits for approval.
        """
        task = await self.get_task(reference)
        if expected_plan is not None and (
            task.plan is None or task.plan.fingerprint != expected_plan
        ):
            raise PlanChangedError(
                f"The plan of task {task.id} changed since it was shown.",
                hint=f"Look again with: jjm plan {task.id}",
            )
        outcome = await self._backend.approve_plan(task.id)
        if outcome is OperationOutcome.NOT_NEEDED:
            raise OperationFailedError(
                f"Task {task.id} is not waiting for approval (it is {task.status.value}).",
                hint=f"See where it stands with: jjm get {task.id}",
            )
        plan_id = "" if task.plan is None else task.plan.id
        changed = replace(task, status=TaskStatus.IN_PROGRESS)
        event = self._event(EventType.PLAN_APPROVED, task.id, plan_id=plan_id)
        with _recording(f"The plan of task {task.id} was approved", task.id):
            await self._keep([changed], [event])
        return changed

    async def resume_task(self, reference: str) -> JulesTask:
        """Make a paused task go on.

        Raises:
            OperationFailedError: the task is not paused.
        """
        task = await self.get_task(reference)
        outcome = await self._backend.resume_task(task.id)
        if outcome is OperationOutcome.NOT_NEEDED:
            raise not_paused(task)
        changed = replace(task, status=TaskStatus.IN_PROGRESS)
        with _recording(f"Task {task.id} was resumed", task.id):
            await self._keep([changed], [self._event(EventType.TASK_RESUMED, task.id)])
        return changed

    async def set_archived(self, reference: str, *, archived: bool) -> str:
        """Archive the task or bring it back; return its id."""
        task_id = await self.resolve(reference)
        with asking_for(task_id):
            await self._backend.set_archived(task_id, archived)
        event = self._event(EventType.TASK_ARCHIVED, task_id, archived=archived)
        words = "archived" if archived else "brought back from the archive"
        with _recording(f"Task {task_id} was {words}", task_id):
            stored = await self._store.tasks.get_task(task_id)
            if stored is None:
                await self._store.events.append([event])
            else:
                await self._store.tasks.save_tasks([replace(stored, archived=archived)], [event])
        return task_id

    async def delete_task(self, reference: str) -> str:
        """Delete the task at Jules and in the store; return its id. Its events stay.

        Raises:
            TaskNotFoundError: neither Jules nor the store knows it. Backends take a task that is
                gone for deleted, so one that is not stored is looked for first.
        """
        task_id = await self.resolve(reference)
        with asking_for(task_id):
            if await self._store.tasks.get_task(task_id) is None:
                await self._backend.get_task(task_id)
            await self._backend.delete_task(task_id)
        event = self._event(EventType.TASK_DELETED, task_id)
        with _recording(f"Task {task_id} was deleted", task_id):
            if not await self._store.tasks.delete_task(task_id, [event]):
                await self._store.events.append([event])
        return task_id

    async def plans(self, reference: str) -> Sequence[Plan]:
        """Return every plan of the task, oldest first, after asking Jules for news."""
        task = await self.get_task(reference)
        return await self._store.tasks.list_plans(task.id)

    async def change_set(self, reference: str) -> ChangeSet:
        """Return the task's whole work as one patch.

        Raises:
            OperationFailedError: it has changed nothing yet.
        """
        task = await self.get_task(reference)
        activities = await self._store.tasks.list_activities(task.id)
        found = latest_change_set(task, activities)
        if found is None or not found.unidiff_patch:
            raise OperationFailedError(f"Task {task.id} has no changes to show yet.")
        return found

    async def activities(self, reference: str) -> Sequence[Activity]:
        """Return what happened in the task, oldest first, after asking Jules for news."""
        task = await self.get_task(reference)
        return await self._store.tasks.list_activities(task.id)

    async def list_sources(self) -> Sequence[Source]:
        """Return the repositories Jules may work on."""
        return await self._backend.list_sources()

    async def _with_known_status(self, tasks: Sequence[JulesTask]) -> Sequence[JulesTask]:
        """Keep the status last seen on a task itself, where the backend's lists do not tell it."""
        if Capability.LIST_STATUS in self._backend.capabilities:
            return tasks
        untold = {task.id for task in tasks if task.status in _UNTOLD}
        seen = await self._store.tasks.statuses(sorted(untold))
        return [
            replace(task, status=last.status, raw_state=last.raw_state)
            if task.id in untold and (last := seen.get(task.id)) is not None
            else task
            for task in tasks
        ]

    async def _enriched(self, task_id: str) -> JulesTask:
        stored = await self._store.tasks.get_task(task_id)
        if stored is None:
            raise TaskNotFoundError(f"There is no task {task_id}.")
        return with_activities(stored, await self._store.tasks.list_activities(task_id))

    async def _keep(self, tasks: Sequence[JulesTask], events: Sequence[NewEvent] = ()) -> None:
        now = self._clock.now()
        kept: list[JulesTask] = []
        seen = list(events)
        before = await self._store.tasks.statuses([task.id for task in tasks])
        for task in tasks:
            kept.append(replace(task, backend=self._backend.name, seen_at=now))
            last = before.get(task.id)
            seen += self._changes(None if last is None else last.status, task)
        await self._store.tasks.save_tasks(kept, seen)

    def _changes(self, before: TaskStatus | None, after: JulesTask) -> list[NewEvent]:
        if before is None or before is after.status:
            return []
        words = {
            "before": before.value,
            "after": after.status.value,
            "raw_state": after.raw_state,
        }
        return [self._event(EventType.TASK_STATE_CHANGED, after.id, **words)]

    async def _keep_activities(self, task: JulesTask) -> None:
        known = await self._store.tasks.list_activities(task.id)
        found = await self._backend.list_activities(task.id, after=_cursor(known))
        ids = {activity.id for activity in known}
        by_id = {activity.id: activity for activity in found if activity.id not in ids}
        new = list(by_id.values())
        events = [self._activity_event(activity) for activity in new]
        if new:
            await self._store.tasks.add_activities(task.id, new, events)

    def _activity_event(self, activity: Activity) -> NewEvent:
        generated = activity.kind is ActivityKind.PLAN_GENERATED
        kind = EventType.PLAN_GENERATED if generated else EventType.ACTIVITY_SEEN
        return self._event(
            kind, activity.task_id, activity_id=activity.id, kind=activity.kind.value
        )

    def _event(self, kind: EventType, task_id: str, /, **data: Any) -> NewEvent:
        return NewEvent(
            type=kind, subject=f"task:{task_id}", at=self._clock.now(), actor=self._actor, data=data
        )


def _cursor(known: Sequence[Activity]) -> str | None:
    """Return the time from which to ask for more: the last one before that of the newest known.

    Something may since have happened at the very moment of the newest, and Jules answers only
    with what is later than the cursor. Source: Jules REST reference, `filter` of activities.
    """
    timed = [a for a in known if a.created_at is not None and a.created_at_raw]
    newest = max((a.created_at for a in timed if a.created_at is not None), default=None)
    if newest is None:
        return None
    earlier = [a for a in timed if a.created_at is not None and a.created_at < newest]
    return earlier[-1].created_at_raw if earlier else None


def require_message(text: str) -> None:
    """Refuse a message that says nothing.

    Raises:
        InvalidInputError: it is empty.
    """
    if not text.strip():
        raise InvalidInputError("The message is empty.", hint="Say something to Jules.")


def not_paused(task: JulesTask) -> OperationFailedError:
    """Return the error for resuming a task that is not paused."""
    return OperationFailedError(
        f"Task {task.id} is not paused (it is {task.status.value}).",
        hint=f"See where it stands with: jjm get {task.id}",
    )


@contextmanager
def _recording(what: str, task_id: str) -> Iterator[None]:
    """Keep something that has happened at Jules; when that fails, say that it happened."""
    try:
        yield
    except StoreError as exc:
        raise NotRecordedError(
            f"{what}, but this could not be kept here: {exc.message}",
            hint=f"Do not repeat it; `jjm list` reads it from Jules again. {exc.hint or ''}".strip(),
            context={"task_id": task_id},
        ) from exc

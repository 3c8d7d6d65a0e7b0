"""Managing tasks: list, get, create, talk, approve, resume, archive, delete.

Everything a backend tells is kept in the store before it is returned, and every change is
written as an event in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.references import repository_from, require_branch
from jules_job_manager.domain.task import ChatMessage, JulesTask, NewTask, Source, TaskStatus
from jules_job_manager.domain.task_view import latest_change_set, with_activities
from jules_job_manager.errors import (
    BackendConnectionError,
    InvalidInputError,
    OperationFailedError,
    PlanChangedError,
    TaskNotFoundError,
)
from jules_job_manager.ports.backend import Backend, Capability, OperationOutcome
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.stored_tasks import resolve_task, stored_task

LAST_LOOK_NOTE = "observer.last_look"
"""Note in the store: when Jules was last looked at as a whole (RFC 3339)."""

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
            await self._keep(fresh)
            await self._store.set_note(LAST_LOOK_NOTE, to_rfc3339(self._clock.now()))
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
        try:
            fresh = await self._backend.get_task(task_id)
        except TaskNotFoundError as exc:
            raise TaskNotFoundError(
                f"There is no task {task_id}.", hint="`jjm list` shows the tasks.",
                context={"task_id": task_id},
            ) from exc  # fmt: skip
        await self._keep([fresh])
        if Capability.ACTIVITIES not in self._backend.capabilities:
            return await self.get_stored(task_id)
        await self._keep_activities(fresh)
        complete = await self._enriched(task_id)
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
        """
        created = await self._backend.create_task(self.checked(new))
        await self._keep(
            [created], [self._event(EventType.TASK_CREATED, created.id, title=created.title)]
        )
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

    async def send_message(self, reference: str, text: str) -> None:
        """Send `text` to the task and keep it in the conversation.

        Raises:
            InvalidInputError: the text is empty.
            UnclearOutcomeError: it may have arrived; look before sending again.
        """
        if not text.strip():
            raise InvalidInputError("The message is empty.")
        task_id = await self.resolve(reference)
        await self._backend.send_message(task_id, text)
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
        await self._keep(
            [changed], [self._event(EventType.PLAN_APPROVED, task.id, plan_id=plan_id)]
        )
        return changed

    async def resume_task(self, reference: str) -> JulesTask:
        """Make a paused task go on.

        Raises:
            OperationFailedError: the task is not paused.
        """
        task = await self.get_task(reference)
        outcome = await self._backend.resume_task(task.id)
        if outcome is OperationOutcome.NOT_NEEDED:
            raise OperationFailedError(
                f"Task {task.id} is not paused (it is {task.status.value}).",
                hint=f"See where it stands with: jjm get {task.id}",
            )
        changed = replace(task, status=TaskStatus.IN_PROGRESS)
        await self._keep([changed], [self._event(EventType.TASK_RESUMED, task.id)])
        return changed

    async def set_archived(self, reference: str, *, archived: bool) -> str:
        """Archive the task or bring it back; return its id."""
        task_id = await self.resolve(reference)
        await self._backend.set_archived(task_id, archived)
        event = self._event(EventType.TASK_ARCHIVED, task_id, archived=archived)
        stored = await self._store.tasks.get_task(task_id)
        if stored is None:
            await self._store.events.append([event])
        else:
            await self._store.tasks.save_tasks([replace(stored, archived=archived)], [event])
        return task_id

    async def delete_task(self, reference: str) -> str:
        """Delete the task at Jules and in the store; return its id. Its events stay."""
        task_id = await self.resolve(reference)
        await self._backend.delete_task(task_id)
        event = self._event(EventType.TASK_DELETED, task_id)
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

    async def _enriched(self, task_id: str) -> JulesTask:
        stored = await self._store.tasks.get_task(task_id)
        if stored is None:
            raise TaskNotFoundError(f"There is no task {task_id}.")
        return with_activities(stored, await self._store.tasks.list_activities(task_id))

    async def _keep(self, tasks: Sequence[JulesTask], events: Sequence[NewEvent] = ()) -> None:
        now = self._clock.now()
        kept: list[JulesTask] = []
        seen = list(events)
        for task in tasks:
            before = await self._store.tasks.get_task(task.id)
            kept.append(replace(task, backend=self._backend.name, seen_at=now))
            seen += self._changes(before, task)
        await self._store.tasks.save_tasks(kept, seen)

    def _changes(self, before: JulesTask | None, after: JulesTask) -> list[NewEvent]:
        if before is None or before.status is after.status:
            return []
        words = {
            "before": before.status.value,
            "after": after.status.value,
            "raw_state": after.raw_state,
        }
        return [self._event(EventType.TASK_STATE_CHANGED, after.id, **words)]

    async def _keep_activities(self, task: JulesTask) -> None:
        known = await self._store.tasks.list_activities(task.id)
        cursor = next((a.created_at_raw for a in reversed(known) if a.created_at_raw), None)
        found = await self._backend.list_activities(task.id, after=cursor)
        ids = {activity.id for activity in known}
        new = [activity for activity in found if activity.id not in ids]
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

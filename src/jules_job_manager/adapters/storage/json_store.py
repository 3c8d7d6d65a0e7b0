"""The store of ticket JJM-005: tasks and events in one JSON file, for small set-ups and interchange."""

from __future__ import annotations

import asyncio
import itertools
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.storage.json_file import Contents, JsonFile
from jules_job_manager.adapters.storage.paging import (
    EPOCH,
    cursor_at,
    cursor_parts,
    require_limit,
    sort_moment,
)
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet, artifact_from_dict
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.event_filter import EVERY_EVENT, EventFilter
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.text import storable_text
from jules_job_manager.errors import StoreError, UnsupportedOperationError
from jules_job_manager.ports.access_store import AccessStore
from jules_job_manager.ports.audit_log import AuditLog
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.event_log import Listener
from jules_job_manager.ports.idempotency_store import IdempotencyStore
from jules_job_manager.ports.job_store import JobStore
from jules_job_manager.ports.lease_store import LeaseStore
from jules_job_manager.ports.quota_ledger import QuotaLedger
from jules_job_manager.ports.review_queue import ReviewQueue
from jules_job_manager.ports.task_store import SeenStatus, TaskPage, TaskQuery
from jules_job_manager.ports.webhook_store import WebhookStore

_TEXTS = ("id", "repository", "branch", "url", "raw_state", "working_branch", "backend")


async def open_json(path: Path, clock: Clock) -> JsonStore:
    """Open the file, making it and its folder when missing.

    Raises:
        StoreError: it cannot be made or read, or a newer version wrote it.
        DamagedStoreError: it was damaged; it is kept under another name.
    """
    file = JsonFile(path, clock)
    await asyncio.to_thread(file.create)
    return JsonStore(file)


class JsonStore:
    """The Store port on a JSON file."""

    kind = "json"

    def __init__(self, file: JsonFile) -> None:
        """Use a file that exists."""
        self._file = file
        self.location = str(file.path)
        self.warning = ""
        self.tasks = JsonTaskStore(file)
        self.events = JsonEventLog(file)

    @property
    def jobs(self) -> JobStore:
        """Refuse: the queue's rules are constraints of a database.

        Raises:
            UnsupportedOperationError: always.
        """
        raise _no_queue()

    @property
    def leases(self) -> LeaseStore:
        """Refuse, as `jobs`."""
        raise _no_queue()

    @property
    def ledger(self) -> QuotaLedger:
        """Refuse, as `jobs`."""
        raise _no_queue()

    @property
    def review_queue(self) -> ReviewQueue:
        """Refuse, as `jobs`."""
        raise _no_queue()

    @property
    def access(self) -> AccessStore:
        """Refuse: a file that anybody may edit protects nothing."""
        raise _no_access("API keys and sessions")

    @property
    def audit(self) -> AuditLog:
        """Refuse, as `access`."""
        raise _no_access("entries of the audit log")

    @property
    def idempotency(self) -> IdempotencyStore:
        """Refuse, as `access`."""
        raise _no_access("answers to repeated requests")

    @property
    def webhooks(self) -> WebhookStore:
        """Refuse, as `jobs`."""
        raise _no_queue()

    async def get_note(self, name: str) -> str | None:
        """Return a small named text, or None."""
        contents = await asyncio.to_thread(self._file.read)
        return contents.notes.get(storable_text(name))

    async def set_note(self, name: str, value: str) -> None:
        """Keep a small named text."""

        def work() -> None:
            with self._file.changing() as contents:
                contents.notes[storable_text(name)] = storable_text(value)

        await asyncio.to_thread(work)

    async def aclose(self) -> None:
        """Do nothing: no file is held open."""


def _no_access(what: str) -> UnsupportedOperationError:
    return UnsupportedOperationError(
        f"The JSON file store keeps tasks and events only; {what} need a database.",
        hint="Set storage.backend to sqlite, which needs no server, or to postgresql.",
    )


def _no_queue() -> UnsupportedOperationError:
    return UnsupportedOperationError(
        "The JSON file store keeps tasks and events only; the queue needs a database.",
        hint="Set storage.backend to sqlite, which needs no server, or to postgresql.",
    )


class JsonEventLog:
    """The EventLog port on a JSON file."""

    def __init__(self, file: JsonFile) -> None:
        """Use a file that exists."""
        self._file = file

    async def append(self, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Write events in order and return them with their ids."""

        def work() -> list[Event]:
            with self._file.changing() as contents:
                return _append(contents, events)

        return await asyncio.to_thread(work)

    async def read(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the event's own field name
        matching: EventFilter = EVERY_EVENT,
        after_id: int = 0,
        before_id: int | None = None,
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return events with an id above `after_id`, oldest first."""
        require_limit(limit)
        contents = await asyncio.to_thread(self._file.read)
        about = None if subject is None else storable_text(subject)
        kind = None if type is None else storable_text(str(type))
        wanted = _storable(matching)
        in_order = reversed(contents.events) if newest_first else iter(contents.events)
        found = (
            event
            for event in in_order
            if event.id > after_id
            and (before_id is None or event.id < before_id)
            and about in {None, event.subject}
            and kind in {None, event.type}
            and wanted.wants(event)
        )
        return list(itertools.islice(found, limit))

    async def last_id(self) -> int:
        """Return the id of the newest event; 0 when there is none."""
        contents = await asyncio.to_thread(self._file.read)
        return max((event.id for event in contents.events), default=0)

    def tell(self, listener: Listener) -> None:
        """Call `listener` with all that is written through this file object from now on."""
        self._file.listeners.append(listener)


class JsonTaskStore:
    """The TaskStore port on a JSON file."""

    def __init__(self, file: JsonFile) -> None:
        """Use a file that exists."""
        self._file = file

    async def save_tasks(self, tasks: Sequence[JulesTask], events: Sequence[NewEvent] = ()) -> None:
        """Insert or replace tasks and append events, in one step."""

        def work() -> None:
            with self._file.changing() as contents:
                for task in tasks:
                    _save(contents, _cleaned(task))
                _append(contents, events)

        await asyncio.to_thread(work)

    async def get_task(self, task_id: str) -> JulesTask | None:
        """Return the task with chat and files, or None."""
        contents = await asyncio.to_thread(self._file.read)
        return contents.tasks.get(storable_text(task_id))

    async def statuses(self, task_ids: Sequence[str]) -> Mapping[str, SeenStatus]:
        """Return the status of each of these tasks that is stored, by the id asked for."""
        contents = await asyncio.to_thread(self._file.read)
        found = {key: contents.tasks.get(storable_text(key)) for key in task_ids}
        return {
            key: SeenStatus(status=task.status, raw_state=task.raw_state)
            for key, task in found.items()
            if task is not None
        }

    async def find_task_ids(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return ids that start with `prefix`, at most `limit`, in text order."""
        require_limit(limit)
        contents = await asyncio.to_thread(self._file.read)
        wanted = storable_text(prefix)
        return sorted(key for key in contents.tasks if key.startswith(wanted))[:limit]

    async def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return one page, newest change first."""
        require_limit(query.limit)
        before = None if query.after is None else cursor_parts(query.after)
        contents = await asyncio.to_thread(self._file.read)
        found = [
            ((sort_moment(task), task.id), task)
            for task in contents.tasks.values()
            if _is_wanted(task, query)
        ]
        if before is not None:
            oldest = query.oldest_first
            found = [i for i in found if (i[0] > before if oldest else i[0] < before)]
        found.sort(key=lambda item: item[0], reverse=not query.oldest_first)
        shown = found[: query.limit]
        cursor = cursor_at(*shown[-1][0]) if len(found) > query.limit else None
        tasks = tuple(replace(task, chat_history=(), source_files=()) for _, task in shown)
        return TaskPage(tasks=tasks, next_cursor=cursor)

    async def delete_task(self, task_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """Forget the task and all that hangs on it; its events stay."""
        key = storable_text(task_id)

        def work() -> bool:
            with self._file.changing() as contents:
                if contents.tasks.pop(key, None) is None:
                    return False
                for kept in (contents.activities, contents.plans, contents.patches):
                    kept.pop(key, None)
                _append(contents, events)
                return True

        return await asyncio.to_thread(work)

    async def add_activities(
        self, task_id: str, activities: Sequence[Activity], events: Sequence[NewEvent] = ()
    ) -> Sequence[Activity]:
        """Append activities not yet known by id; return the new ones."""
        key = storable_text(task_id)

        def work() -> list[Activity]:
            with self._file.changing() as contents:
                if key not in contents.tasks:
                    raise StoreError(f"The store has no task {task_id} to add activities to.")
                new = _add(contents, key, activities)
                _append(contents, events)
                return new

        return await asyncio.to_thread(work)

    async def list_activities(self, task_id: str) -> Sequence[Activity]:
        """Return the task's activities, oldest first."""
        items = await self._parts("activities", task_id)
        read = [Activity.from_dict(item) for item in items]
        return sorted(read, key=lambda activity: activity.created_at or EPOCH)

    async def list_plans(self, task_id: str) -> Sequence[Plan]:
        """Return every different plan ever seen, oldest first."""
        return [Plan.from_dict(item) for item in await self._parts("plans", task_id)]

    async def list_patches(self, task_id: str) -> Sequence[ChangeSet]:
        """Return every different patch ever seen, oldest first."""
        found = [artifact_from_dict(item) for item in await self._parts("patches", task_id)]
        return [patch for patch in found if isinstance(patch, ChangeSet)]

    async def _parts(self, member: str, task_id: str) -> list[dict[str, Any]]:
        contents = await asyncio.to_thread(self._file.read)
        kept: dict[str, list[dict[str, Any]]] = getattr(contents, member)
        return kept.get(storable_text(task_id), [])


def _cleaned(task: JulesTask) -> JulesTask:
    return replace(task, **{name: storable_text(getattr(task, name)) for name in _TEXTS})  # type: ignore[arg-type]


def _save(contents: Contents, task: JulesTask) -> None:
    if not task.id:
        raise StoreError("The store refused what it was given: a task has no id.")
    before = contents.tasks.get(task.id)
    if before is not None:
        task = replace(
            task,
            chat_history=task.chat_history or before.chat_history,
            source_files=task.source_files or before.source_files,
            plan=before.plan if task.plan is None else task.plan,
        )
    contents.tasks[task.id] = task
    _keep_plan(contents, task.id, task.plan)
    for output in task.outputs:
        _keep_patch(contents, task.id, output)


def _add(contents: Contents, task_id: str, activities: Sequence[Activity]) -> list[Activity]:
    kept = contents.activities.setdefault(task_id, [])
    known = {item["id"] for item in kept}
    new: list[Activity] = []
    for activity in activities:
        if activity.id in known:
            continue
        known.add(activity.id)
        new.append(activity)
        kept.append(activity.to_dict())
        _keep_plan(contents, task_id, activity.plan)
        for artifact in activity.artifacts:
            _keep_patch(contents, task_id, artifact)
    return new


def _keep_plan(contents: Contents, task_id: str, plan: Plan | None) -> None:
    if plan is None:
        return
    kept = contents.plans.setdefault(task_id, [])
    if all(Plan.from_dict(item).fingerprint != plan.fingerprint for item in kept):
        kept.append(plan.to_dict())


def _keep_patch(contents: Contents, task_id: str, artifact: object) -> None:
    if not isinstance(artifact, ChangeSet) or not artifact.unidiff_patch:
        return
    kept = contents.patches.setdefault(task_id, [])
    texts = [(item["base_commit_id"], item["unidiff_patch"]) for item in kept]
    if (artifact.base_commit_id, artifact.unidiff_patch) not in texts:
        kept.append(artifact.to_dict())


def _append(contents: Contents, events: Sequence[NewEvent]) -> list[Event]:
    last = contents.events[-1].id if contents.events else 0
    written = [
        Event(
            id=last + number,
            type=storable_text(str(event.type)),
            subject=storable_text(event.subject),
            at=event.at,
            actor=storable_text(event.actor),
            data=dict(event.data),
        )
        for number, event in enumerate(events, start=1)
    ]
    contents.events += written
    return written


def _storable(matching: EventFilter) -> EventFilter:
    return replace(
        matching,
        types=frozenset(map(storable_text, matching.types)),
        subjects=frozenset(map(storable_text, matching.subjects)),
        subject_prefixes=tuple(map(storable_text, matching.subject_prefixes)),
    )


def _is_wanted(task: JulesTask, query: TaskQuery) -> bool:
    return (
        (query.status is None or task.status is query.status)
        and (query.repository is None or task.repository == storable_text(query.repository))
        and (query.backend is None or task.backend == storable_text(query.backend))
        and (query.include_archived or not task.archived)
        and _is_within(sort_moment(task), query.changed_since, query.changed_before)
        and _is_within(task.created_at, query.created_since, query.created_before)
        and _holds((task.id, task.title, task.description), query.search)
    )


def _is_within(moment: datetime | None, since: datetime | None, before: datetime | None) -> bool:
    if since is None and before is None:
        return True
    return moment is not None and (since is None or moment >= since) and (
        before is None or moment < before
    )  # fmt: skip


def _holds(texts: Sequence[str], wanted: str) -> bool:
    """Whether a text holds what is wanted; as in a database, only the case of ASCII is alike."""
    return not wanted or any(
        wanted.translate(_TO_LOWER) in text.translate(_TO_LOWER) for text in texts
    )


_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

"""Tasks, activities, plans and patches in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import (
    EPOCH,
    cursor_at,
    require_limit,
    sort_moment,
)
from jules_job_manager.adapters.storage.patches import patch_digest
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.adapters.storage.sql.searching import holds
from jules_job_manager.adapters.storage.sql.task_lists import (
    page_shape,
    page_statement,
    page_values,
)
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import Artifact, ChangeSet, SourceFile, artifact_from_dict
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.domain.text import after_prefix, storable_text
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.task_store import SeenStatus, TaskPage, TaskQuery

_CHUNK = 500


class SqlTaskStore:
    """The TaskStore port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def save_tasks(self, tasks: Sequence[JulesTask], events: Sequence[NewEvent] = ()) -> None:
        """Insert or replace tasks and append events, in one transaction."""
        async with transaction(self._engine, writes=True) as connection:
            for start in range(0, len(tasks), _CHUNK):
                await _save_rows(connection, tasks[start : start + _CHUNK])
            for task in tasks:
                await _save_lists(connection, task)
            await _keep_plans(connection, [(task.id, task.plan) for task in tasks])
            outputs = [(task.id, output) for task in tasks for output in task.outputs]
            await _keep_patches(connection, outputs)
            await insert_events(connection, events)

    async def get_task(self, task_id: str) -> JulesTask | None:
        """Return the task with chat and files, or None."""
        async with transaction(self._engine, writes=False) as connection:
            query = sa.select(schema.tasks).where(schema.tasks.c.id == task_id)
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            chat = await _parts(
                connection, schema.chat_messages, schema.chat_messages.c.message, task_id
            )
            files = await _parts(
                connection, schema.source_files, schema.source_files.c.file, task_id
            )
        return replace(
            _task(row),
            chat_history=tuple(ChatMessage.from_dict(item) for item in chat),
            source_files=tuple(SourceFile.from_dict(item) for item in files),
        )

    async def statuses(self, task_ids: Sequence[str]) -> Mapping[str, SeenStatus]:
        """Return the status of each of these tasks that is stored, by the id asked for."""
        columns, found = schema.tasks.c, {}
        async with transaction(self._engine, writes=False) as connection:
            for start in range(0, len(task_ids), _CHUNK):
                wanted = {storable_text(key): key for key in task_ids[start : start + _CHUNK]}
                chosen = sa.select(columns.id, columns.status, columns.raw_state)
                for key, status, raw in await connection.execute(
                    chosen.where(columns.id.in_(wanted))
                ):
                    found[wanted[key]] = SeenStatus(status=TaskStatus(status), raw_state=raw)
        return found

    async def find_task_ids(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return ids that start with `prefix`, at most `limit`, in text order."""
        column = schema.tasks.c.id
        require_limit(limit)
        wanted = storable_text(prefix)
        query = sa.select(column).where(column >= wanted)
        end = after_prefix(wanted)
        if end is not None:
            query = query.where(column < end)
        async with transaction(self._engine, writes=False) as connection:
            return list((await connection.execute(query.order_by(column).limit(limit))).scalars())

    async def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return one page, newest change first."""
        values = page_values(query)
        wanted = page_statement(page_shape(query, values))
        if query.search:
            columns = schema.tasks.c
            texts = [columns.title, columns.description]
            wanted = wanted.where(holds(query.search, plain=[columns.id], as_json=texts))
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(wanted, values)).mappings().all()
        shown = rows[: query.limit]
        more = len(rows) > query.limit
        cursor = cursor_at(shown[-1]["sort_at"], shown[-1]["id"]) if more else None
        return TaskPage(tasks=tuple(_task(row) for row in shown), next_cursor=cursor)

    async def delete_task(self, task_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """Forget the task and all that hangs on it; its events stay."""
        async with transaction(self._engine, writes=True) as connection:
            gone = await connection.execute(
                sa.delete(schema.tasks).where(schema.tasks.c.id == task_id)
            )
            if not gone.rowcount:
                return False
            await insert_events(connection, events)
        return True

    async def add_activities(
        self, task_id: str, activities: Sequence[Activity], events: Sequence[NewEvent] = ()
    ) -> Sequence[Activity]:
        """Append activities not yet known by id; return the new ones."""
        table = schema.activities
        async with transaction(self._engine, writes=True) as connection:
            if not await _exists(connection, task_id):
                raise StoreError(f"The store has no task {task_id} to add activities to.")
            query = sa.select(table.c.id).where(table.c.task_id == task_id)
            known = set((await connection.execute(query)).scalars())
            new = _not_yet(activities, known)
            rows = [
                {
                    "task_id": task_id,
                    "id": a.id,
                    "position": len(known) + n,
                    "activity": a.to_dict(),
                }
                for n, a in enumerate(new)
            ]
            if rows:
                await connection.execute(sa.insert(table), rows)
            await _keep_plans(connection, [(task_id, activity.plan) for activity in new])
            artifacts = [(task_id, artifact) for a in new for artifact in a.artifacts]
            await _keep_patches(connection, artifacts)
            await insert_events(connection, events)
        return new

    async def list_activities(self, task_id: str) -> Sequence[Activity]:
        """Return the task's activities, oldest first."""
        table = schema.activities
        async with transaction(self._engine, writes=False) as connection:
            items = await _parts(connection, table, table.c.activity, task_id)
        read = [Activity.from_dict(item) for item in items]
        return sorted(read, key=lambda activity: activity.created_at or EPOCH)

    async def list_plans(self, task_id: str) -> Sequence[Plan]:
        """Return every different plan ever seen, oldest first."""
        async with transaction(self._engine, writes=False) as connection:
            items = await _parts(connection, schema.plans, schema.plans.c.plan, task_id)
        return [Plan.from_dict(item) for item in items]

    async def list_patches(self, task_id: str) -> Sequence[ChangeSet]:
        """Return every different patch ever seen, oldest first."""
        async with transaction(self._engine, writes=False) as connection:
            items = await _parts(connection, schema.patches, schema.patches.c.change_set, task_id)
        found = [artifact_from_dict(item) for item in items]
        return [patch for patch in found if isinstance(patch, ChangeSet)]


def _row(task: JulesTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "repository": task.repository,
        "branch": task.branch,
        "status": task.status.value,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "url": task.url,
        "plan": None if task.plan is None else task.plan.to_dict(),
        "outputs": [output.to_dict() for output in task.outputs],
        "raw_state": task.raw_state,
        "working_branch": task.working_branch,
        "require_plan_approval": task.require_plan_approval,
        "archived": task.archived,
        "backend": task.backend,
        "seen_at": task.seen_at,
        "metadata": dict(task.metadata),
        "sort_at": sort_moment(task),
    }


def _task(row: sa.RowMapping) -> JulesTask:
    plan = row["plan"]
    names = ("id", "title", "description", "repository", "branch", "created_at", "updated_at", "url",
             "raw_state", "working_branch", "require_plan_approval", "archived", "backend", "seen_at",
             "metadata")  # fmt: skip
    return JulesTask(
        status=TaskStatus(row["status"]),
        plan=None if plan is None else Plan.from_dict(plan),
        outputs=tuple(artifact_from_dict(item) for item in row["outputs"]),
        **{name: row[name] for name in names},
    )


async def _save_rows(connection: AsyncConnection, tasks: Sequence[JulesTask]) -> None:
    rows = list({task.id: _row(task) for task in tasks}.values())
    if not rows:
        return
    statement = upsert(connection, schema.tasks)
    changed = {
        column.name: statement.excluded[column.name]
        for column in schema.tasks.c
        if column.name not in {"id", "plan"}
    }
    changed["plan"] = sa.func.coalesce(statement.excluded.plan, schema.tasks.c.plan)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=changed), rows
    )


async def _save_lists(connection: AsyncConnection, task: JulesTask) -> None:
    if task.chat_history:
        messages = [message.to_dict() for message in task.chat_history]
        await _replace_parts(connection, schema.chat_messages, "message", task.id, messages)
    if task.source_files:
        files = [file.to_dict() for file in task.source_files]
        await _replace_parts(connection, schema.source_files, "file", task.id, files)


async def _replace_parts(
    connection: AsyncConnection,
    table: sa.Table,
    column: str,
    task_id: str,
    items: list[dict[str, Any]],
) -> None:
    await connection.execute(sa.delete(table).where(table.c.task_id == task_id))
    rows = [{"task_id": task_id, "position": n, column: item} for n, item in enumerate(items)]
    await connection.execute(sa.insert(table), rows)


async def _keep_plans(
    connection: AsyncConnection, plans: Sequence[tuple[str, Plan | None]]
) -> None:
    rows = [
        {"task_id": task_id, "fingerprint": plan.fingerprint, "plan": plan.to_dict()}
        for task_id, plan in plans
        if plan is not None
    ]
    await _keep(connection, schema.plans, "fingerprint", rows)


async def _keep_patches(
    connection: AsyncConnection, artifacts: Sequence[tuple[str, Artifact]]
) -> None:
    rows = [
        {"task_id": task_id, "sha256": patch_digest(found), "change_set": found.to_dict()}
        for task_id, found in artifacts
        if isinstance(found, ChangeSet) and found.unidiff_patch
    ]
    await _keep(connection, schema.patches, "sha256", rows)


async def _keep(
    connection: AsyncConnection, table: sa.Table, key: str, rows: list[dict[str, Any]]
) -> None:
    """Add the rows whose key their task has not yet, after those it has; one statement for all."""
    if not rows:
        return
    there = table.alias("there")
    place = sa.select(sa.func.count()).select_from(there)
    place = place.where(there.c.task_id == sa.bindparam("of_task", type_=schema.PlainText))
    statement = upsert(connection, table).values(position=place.scalar_subquery())
    ignoring = statement.on_conflict_do_nothing(index_elements=["task_id", key])
    await connection.execute(ignoring, [{**row, "of_task": row["task_id"]} for row in rows])


async def _parts(
    connection: AsyncConnection, table: sa.Table, column: sa.Column[Any], task_id: str
) -> list[Any]:
    query = sa.select(column).where(table.c.task_id == task_id).order_by(table.c.position)
    return list((await connection.execute(query)).scalars())


async def _exists(connection: AsyncConnection, task_id: str) -> bool:
    query = sa.select(sa.literal(1)).where(schema.tasks.c.id == task_id)
    return (await connection.execute(query)).scalar() is not None


def _not_yet(activities: Sequence[Activity], known: set[str]) -> list[Activity]:
    new: dict[str, Activity] = {}
    for activity in activities:
        key = storable_text(activity.id)
        if key not in known:
            new.setdefault(key, activity)
    return list(new.values())

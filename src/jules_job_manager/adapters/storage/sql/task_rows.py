"""Tasks, activities, plans and patches in rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet, SourceFile, artifact_from_dict
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.errors import InvalidInputError, StoreError
from jules_job_manager.ports.task_store import TaskPage, TaskQuery

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
                await _save_parts(connection, task)
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

    async def find_task_ids(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return ids that start with `prefix`, at most `limit`, in text order."""
        column = schema.tasks.c.id
        query = sa.select(column).where(column.startswith(prefix, autoescape=True))
        async with transaction(self._engine, writes=False) as connection:
            return list((await connection.execute(query.order_by(column).limit(limit))).scalars())

    async def list_tasks(self, query: TaskQuery) -> TaskPage:
        """Return one page, newest change first."""
        columns = schema.tasks.c
        wanted = sa.select(schema.tasks).order_by(columns.sort_at.desc(), columns.id.desc())
        for column, value in (
            (columns.backend, query.backend),
            (columns.status, query.status),
            (columns.repository, query.repository),
        ):
            if value is not None:
                wanted = wanted.where(column == str(value))
        if not query.include_archived:
            wanted = wanted.where(columns.archived == sa.false())
        if query.after is not None:
            moment, task_id = _cursor_parts(query.after)
            key = sa.tuple_(columns.sort_at, columns.id)
            wanted = wanted.where(key < sa.tuple_(sa.literal(moment, schema.Moment), task_id))
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(wanted.limit(query.limit + 1))).mappings().all()
        shown = rows[: query.limit]
        more = len(rows) > query.limit
        cursor = f"{to_rfc3339(shown[-1]['sort_at'])}/{shown[-1]['id']}" if more else None
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
            new = list({a.id: a for a in reversed(activities) if a.id not in known}.values())[::-1]
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
            for activity in new:
                await _keep_plan(connection, task_id, activity.plan)
                for artifact in activity.artifacts:
                    await _keep_patch(connection, task_id, artifact)
            await insert_events(connection, events)
        return new

    async def list_activities(self, task_id: str) -> Sequence[Activity]:
        """Return the task's activities, oldest first."""
        table = schema.activities
        async with transaction(self._engine, writes=False) as connection:
            items = await _parts(connection, table, table.c.activity, task_id)
        read = [Activity.from_dict(item) for item in items]
        return sorted(read, key=lambda activity: activity.created_at or _EPOCH)

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
    moments = [m for m in (task.updated_at, task.created_at, task.seen_at) if m is not None]
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
        "sort_at": moments[0] if moments else _EPOCH,
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


async def _save_parts(connection: AsyncConnection, task: JulesTask) -> None:
    if task.chat_history:
        messages = [message.to_dict() for message in task.chat_history]
        await _replace_parts(connection, schema.chat_messages, "message", task.id, messages)
    if task.source_files:
        files = [file.to_dict() for file in task.source_files]
        await _replace_parts(connection, schema.source_files, "file", task.id, files)
    await _keep_plan(connection, task.id, task.plan)
    for output in task.outputs:
        await _keep_patch(connection, task.id, output)


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


async def _keep_plan(connection: AsyncConnection, task_id: str, plan: Plan | None) -> None:
    if plan is not None:
        values = {"fingerprint": plan.fingerprint, "plan": plan.to_dict()}
        await _keep(connection, schema.plans, "fingerprint", task_id, values)


async def _keep_patch(connection: AsyncConnection, task_id: str, artifact: object) -> None:
    if isinstance(artifact, ChangeSet) and artifact.unidiff_patch:
        text = artifact.base_commit_id + "\0" + artifact.unidiff_patch
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        values = {"sha256": digest, "change_set": artifact.to_dict()}
        await _keep(connection, schema.patches, "sha256", task_id, values)


async def _keep(
    connection: AsyncConnection, table: sa.Table, key: str, task_id: str, values: dict[str, Any]
) -> None:
    count = sa.select(sa.func.count()).select_from(table).where(table.c.task_id == task_id)
    position = (await connection.execute(count)).scalar_one()
    statement = upsert(connection, table).on_conflict_do_nothing(index_elements=["task_id", key])
    await connection.execute(statement, [{"task_id": task_id, "position": position, **values}])


async def _parts(
    connection: AsyncConnection, table: sa.Table, column: sa.Column[Any], task_id: str
) -> list[Any]:
    query = sa.select(column).where(table.c.task_id == task_id).order_by(table.c.position)
    return list((await connection.execute(query)).scalars())


async def _exists(connection: AsyncConnection, task_id: str) -> bool:
    query = sa.select(sa.literal(1)).where(schema.tasks.c.id == task_id)
    return (await connection.execute(query)).scalar() is not None


def _cursor_parts(cursor: str) -> tuple[datetime, str]:
    moment, slash, task_id = cursor.partition("/")
    try:
        if not slash:
            raise ValueError(cursor)
        return from_rfc3339(moment), task_id
    except ValueError as exc:
        raise InvalidInputError(f"{cursor!r} is not a page cursor.") from exc

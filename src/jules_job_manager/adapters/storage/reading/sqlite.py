"""The TaskReader port on a SQLite file, read by the standard library itself."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import sqlite

from jules_job_manager.adapters.storage.instant import InstantStore, open_following
from jules_job_manager.adapters.storage.paging import cursor_at
from jules_job_manager.adapters.storage.reading.near import NearReads
from jules_job_manager.adapters.storage.reading.texts import (
    COLUMNS,
    STANDING_COLUMNS,
    content_of,
    listed_text,
    task_text,
)
from jules_job_manager.adapters.storage.sql.task_lists import (
    page_shape,
    page_values,
    raw_page_statement,
)
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.text import storable_text
from jules_job_manager.ports.task_reader import TaskReader, TaskStanding, TextPage
from jules_job_manager.ports.task_store import TaskQuery

# Parts are joined in the order in which the inner select yields them, which is the primary key's.
_PARTS = "(SELECT group_concat({0}, ',') FROM (SELECT {0} FROM {1} WHERE task_id = ?1 ORDER BY position))"
_TASK = (
    f"SELECT {', '.join(COLUMNS)}, {_PARTS.format('message', 'chat_messages')}, "  # noqa: S608 - names are ours
    f"{_PARTS.format('file', 'source_files')} FROM tasks WHERE id = ?1"
)
_STANDING = (
    f"SELECT {', '.join(STANDING_COLUMNS)}, (SELECT message FROM chat_messages WHERE task_id = ?1 "  # noqa: S608
    "ORDER BY position DESC LIMIT 1) FROM tasks WHERE id = ?1"
)
_DIALECT = sqlite.dialect()
SHORT = 100
"""A page of so many tasks at most is read in a few hundred microseconds."""


class SqliteTaskReader:
    """Reads what is committed, without waiting for those who write (WAL mode).

    Lists that may look at every task would keep the others waiting: they, and whatever fails here,
    are left to `otherwise`.
    """

    def __init__(self, path: str, otherwise: TaskReader) -> None:
        """Read the file when first asked; it is that of the store behind `otherwise`."""
        self._otherwise = otherwise
        self._reads = NearReads(
            open=lambda busy: _opened(path, busy), close=InstantStore.close, name="reading tasks"
        )

    async def task(self, task_id: str) -> str | None:
        """Return the text of the task with exactly this id, or None."""
        key = (storable_text(task_id),)
        try:
            rows = await self._reads.run(lambda store: store.rows(_TASK, key))
        except sqlite3.Error:
            return await self._otherwise.task(task_id)
        return task_text(rows[0][:-2], *rows[0][-2:]) if rows else None

    async def standing(self, task_id: str) -> TaskStanding | None:
        """Return where the task stands, or None."""
        key = (storable_text(task_id),)
        try:
            rows = await self._reads.run(lambda store: store.rows(_STANDING, key))
        except sqlite3.Error:
            return await self._otherwise.standing(task_id)
        if not rows:
            return None
        status, raw_state, updated_at, seen_at, message = rows[0]
        return TaskStanding(
            status=status, raw_state=raw_state, updated_at=updated_at, seen_at=seen_at,
            last_message=content_of(message),
        )  # fmt: skip

    async def list_tasks(self, query: TaskQuery) -> TextPage:
        """Return one page."""
        if query.may_look_at_all:
            return await self._otherwise.list_tasks(query)
        given = page_values(query)
        statement = raw_page_statement(page_shape(query, given), COLUMNS, _DIALECT)
        values = [_bound(value) for value in statement.values(given)]
        try:
            rows = await self._reads.run(
                lambda store: store.rows(statement.sql, values), is_short=query.limit <= SHORT
            )
        except sqlite3.Error:
            return await self._otherwise.list_tasks(query)
        shown = rows[: query.limit]
        last = shown[-1] if len(rows) > query.limit else None
        cursor = None if last is None else cursor_at(last[-1], last[0])
        return TextPage(items=tuple(listed_text(row[:-1]) for row in shown), next_cursor=cursor)

    async def aclose(self) -> None:
        """Close the file."""
        await self._reads.aclose()


def _opened(path: str, busy_seconds: float) -> InstantStore:
    found = open_following(path, busy_seconds)
    if found is None:
        raise sqlite3.OperationalError("the schema is not the newest")
    return found


def _bound(value: Any) -> Any:
    return to_rfc3339(value) if isinstance(value, datetime) else value

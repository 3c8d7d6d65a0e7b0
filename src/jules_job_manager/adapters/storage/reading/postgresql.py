"""The TaskReader port on PostgreSQL, by its driver itself: one statement, one way there and back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.paging import cursor_at
from jules_job_manager.adapters.storage.reading.moments import take_moments_as_texts
from jules_job_manager.adapters.storage.reading.texts import (
    COLUMNS,
    STANDING_COLUMNS,
    content_of,
    listed_text,
    task_text,
)
from jules_job_manager.adapters.storage.sql.engine import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    PASSWORD_OPTION,
    Password,
    shown_address,
)
from jules_job_manager.adapters.storage.sql.failures import away
from jules_job_manager.adapters.storage.sql.task_lists import (
    page_shape,
    page_values,
    raw_page_statement,
)
from jules_job_manager.domain.text import storable_text
from jules_job_manager.ports.store_probe import Connections
from jules_job_manager.ports.task_reader import TaskReader, TaskStanding, TextPage
from jules_job_manager.ports.task_store import TaskQuery

CONNECTIONS = 4
"""Beside those of the store. One process has one loop, which more could not keep busy."""
_PARTS = "(SELECT string_agg({0}, ',' ORDER BY position) FROM {1} WHERE task_id = $1)"
_TASK = (
    f"SELECT {', '.join(COLUMNS)}, {_PARTS.format('message', 'chat_messages')}, "  # noqa: S608 - names are ours
    f"{_PARTS.format('file', 'source_files')} FROM tasks WHERE id = $1"
)
_STANDING = (
    f"SELECT {', '.join(STANDING_COLUMNS)}, (SELECT message FROM chat_messages WHERE task_id = $1 "  # noqa: S608
    "ORDER BY position DESC LIMIT 1) FROM tasks WHERE id = $1"
)
_DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]
_NOT_OURS = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_creator_fn")
"""Words of SQLAlchemy's own that its driver does not take."""


class PostgresTaskReader:
    """Reads what is committed. What may take long or fails here is left to `otherwise`."""

    def __init__(self, engine: AsyncEngine, otherwise: TaskReader) -> None:
        """Connect, as the engine does, when first asked."""
        self._otherwise = otherwise
        self._where = shown_address(engine)
        self._pool = _pool(engine)
        self._opening = asyncio.Lock()
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._is_open = self._is_closed = False

    async def task(self, task_id: str) -> str | None:
        """Return the text of the task with exactly this id, or None."""
        rows = await self._rows(_TASK, [storable_text(task_id)])
        if rows is None:
            return await self._otherwise.task(task_id)
        return task_text(tuple(rows[0])[:-2], *tuple(rows[0])[-2:]) if rows else None

    async def standing(self, task_id: str) -> TaskStanding | None:
        """Return where the task stands, or None."""
        rows = await self._rows(_STANDING, [storable_text(task_id)])
        if rows is None:
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
        rows = await self._rows(statement.sql, statement.values(given))
        if rows is None:
            return await self._otherwise.list_tasks(query)
        shown = rows[: query.limit]
        last = shown[-1] if len(rows) > query.limit else None
        cursor = None if last is None else cursor_at(last[-1], last[0])
        return TextPage(
            items=tuple(listed_text(tuple(row)[:-1]) for row in shown), next_cursor=cursor
        )

    def connections(self) -> Connections:
        """Return its connections as they are now; none before the first read. Never waits."""
        if not self._is_open:
            return Connections(in_use=0, idle=0)
        idle = self._pool.get_idle_size()
        return Connections(in_use=self._pool.get_size() - idle, idle=idle)

    async def aclose(self) -> None:
        """Close the connections."""
        self._is_closed = True
        if self._is_open:
            self._pool.terminate()  # they only read; whoever waits for an answer asks the store

    async def _open(self) -> None:
        async with self._opening:  # several at once are refused
            await self._pool
            self._is_open = True

    async def _rows(self, sql: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """Return the rows; None: it failed, in a way in which the store may do better.

        Raises:
            StoreUnavailableError: the database did not answer in time.
        """
        if self._is_closed:
            return None
        try:
            if not self._is_open:
                await self._open()
            # The pool alone would give a connection to whoever comes by when it is given back, and
            # let those who wait for it wait on.
            async with self._turns, self._pool.acquire() as connection:
                found: Sequence[Any] = await connection.fetch(sql, *values)
                return found
        except TimeoutError as exc:
            raise away(self._where, exc) from exc
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return None


def _pool(engine: AsyncEngine) -> Any:
    _, options = engine.dialect.create_connect_args(engine.url)
    for name in _NOT_OURS:
        options.pop(name, None)
    password: Password = engine.get_execution_options()[PASSWORD_OPTION]
    if password.text is not None:
        options["password"] = lambda: password.text  # asked for each connection
    return asyncpg.create_pool(
        **options, min_size=0, max_size=CONNECTIONS, reset=_leave, init=take_moments_as_texts,
        timeout=CONNECT_SECONDS, command_timeout=ANSWER_SECONDS,
    )  # fmt: skip


async def _leave(connection: Any) -> None:
    """Leave a connection as it is: nothing is ever set on it, and asking would double each read."""
    del connection

"""No list of tasks is sorted or looked through, whatever it is filtered by: what it costs does not grow."""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3

import asyncpg
import pytest
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg as postgresql

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.storage.sql.task_lists import (
    page_shape,
    page_values,
    raw_page_statement,
)
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.ports.task_store import TaskQuery

pytestmark = pytest.mark.integration
FILTERS = {"backend": "rest", "status": TaskStatus.FAILED, "repository": "o/n", "include_archived": True,
           "after": "2026-01-01T00:00:00Z/1"}  # fmt: skip
SEARCHED = {"backend", "status", "repository"}
SETS = [
    names for count in range(len(FILTERS) + 1) for names in itertools.combinations(FILTERS, count)
]


def _asked(names, dialect):
    query = TaskQuery(**{name: FILTERS[name] for name in names})
    given = page_values(query)
    statement = raw_page_statement(page_shape(query, given), ("id",), dialect)
    return statement.sql, statement.values(given)


async def test_on_sqlite(make_arguments):
    """An index gives the order, and finds what is filtered by."""
    arguments = await make_arguments("sqlite")
    await (await open_store(**arguments)).aclose()
    with contextlib.closing(sqlite3.connect(arguments["data_path"])) as connection:
        for names in SETS:
            sql, values = _asked(names, sqlite.dialect())
            texts = [to_rfc3339(one) if hasattr(one, "tzinfo") else one for one in values]
            found = connection.execute(f"EXPLAIN QUERY PLAN {sql}", texts)
            plan = "; ".join(row[3] for row in found)
            assert "USING INDEX ix_tasks_" in plan or "USING COVERING INDEX ix_tasks_" in plan, (
                names
            )
            assert "TEMP B-TREE" not in plan, names
            assert {name for name in SEARCHED if f"{name}=?" in plan} == SEARCHED & set(names), plan


async def test_on_postgresql(make_arguments):
    """The same, where it plans for so many tasks that looking through them all is out of the question."""
    arguments = await make_arguments("postgresql")
    await (await open_store(**arguments)).aclose()
    async with contextlib.AsyncExitStack() as closing:
        connection = await asyncpg.connect(arguments["database_url"])
        closing.push_async_callback(connection.close)
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            await connection.execute(f"SET enable_{way} = off")
        for names in SETS:
            sql, values = _asked(names, postgresql.dialect())
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", *values))
            assert re.search(r"Index (Only )?Scan (Backward )?using ix_tasks_", plan), plan
            assert "Sort" not in plan, (names, plan)
            (condition,) = re.findall("Index Cond: (.*)", plan) or [""]
            found = {name for name in SEARCHED if re.search(rf"\b{name}\b.{{0,8}} = ", condition)}
            assert found == SEARCHED & set(names), (names, plan)

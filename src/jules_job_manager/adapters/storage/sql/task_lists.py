"""The one statement by which pages of tasks are read, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from jules_job_manager.adapters.storage.paging import cursor_parts, require_limit
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.domain.text import storable_text
from jules_job_manager.ports.task_store import TaskQuery


@dataclass(frozen=True, kw_only=True, slots=True)
class PageShape:
    """What makes one statement differ from another: everything but the values."""

    conditions: frozenset[str]
    include_archived: bool
    oldest_first: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RawStatement:
    """A statement for a driver itself."""

    sql: str
    names: tuple[str, ...]
    """Of the values, in the order in which the driver wants them."""
    fixed: Mapping[str, Any]
    """Values of the statement's own, such as the offset that SQLite's limits are written with."""

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the values for the driver, texts as the database takes them."""
        found = ({**self.fixed, **given}[name] for name in self.names)
        return [storable_text(value) if isinstance(value, str) else value for value in found]


def page_shape(query: TaskQuery, values: dict[str, Any]) -> PageShape:
    """Return the shape of the statement for a query and its `page_values`."""
    return PageShape(
        conditions=frozenset(values), include_archived=query.include_archived,
        oldest_first=query.oldest_first,
    )  # fmt: skip


def page_values(query: TaskQuery) -> dict[str, Any]:
    """Return the values of the statement's parameters; one that is missing sets no condition.

    The text that is searched for is not among them.

    Raises:
        InvalidInputError: limit or cursor cannot be used.
    """
    require_limit(query.limit)
    given: dict[str, Any] = {
        "backend": query.backend,
        "status": None if query.status is None else query.status.value,
        "repository": query.repository,
        "changed_since": query.changed_since,
        "changed_before": query.changed_before,
        "created_since": query.created_since,
        "created_before": query.created_before,
    }
    found = {name: value for name, value in given.items() if value is not None}
    if query.after is not None:
        found["after_at"], found["after_id"] = cursor_parts(query.after)
    return {**found, "most": query.limit + 1}


@lru_cache(maxsize=512)
def page_statement(shape: PageShape) -> sa.Select[Any]:
    """Return the statement that reads one task more than a page has, in the order of the list."""
    columns = schema.tasks.c
    order = [columns.sort_at, columns.id]
    wanted = sa.select(schema.tasks).order_by(
        *(order if shape.oldest_first else [column.desc() for column in order])
    )
    for name in ("backend", "status", "repository"):
        if name in shape.conditions:
            wanted = wanted.where(columns[name] == sa.bindparam(name, type_=schema.PlainText))
    if not shape.include_archived:
        wanted = wanted.where(columns.archived == sa.false())
    for column, word in ((columns.sort_at, "changed"), (columns.created_at, "created")):
        if f"{word}_since" in shape.conditions:
            wanted = wanted.where(column >= sa.bindparam(f"{word}_since", type_=schema.MOMENT))
        if f"{word}_before" in shape.conditions:
            wanted = wanted.where(column < sa.bindparam(f"{word}_before", type_=schema.MOMENT))
    if "after_id" in shape.conditions:
        key = sa.tuple_(columns.sort_at, columns.id)
        last = sa.tuple_(
            sa.bindparam("after_at", type_=schema.MOMENT),
            sa.bindparam("after_id", type_=schema.PlainText),
        )
        wanted = wanted.where(key > last if shape.oldest_first else key < last)
    return wanted.limit(sa.bindparam("most", type_=sa.Integer))


@lru_cache(maxsize=512)
def raw_page_statement(
    shape: PageShape, columns: tuple[str, ...], dialect: sa.Dialect
) -> RawStatement:
    """Return the same statement, of these columns and the time of sorting, for a driver itself."""
    return raw_statement(
        page_statement(shape).with_only_columns(
            *(schema.tasks.c[name] for name in (*columns, "sort_at"))
        ),
        dialect,
    )


def raw_statement(statement: sa.Select[Any], dialect: sa.Dialect) -> RawStatement:
    """Return a statement as a driver with numbered parameters takes it."""
    compiled = statement.compile(dialect=dialect)
    names: Sequence[str] = compiled.positiontup or ()
    return RawStatement(sql=str(compiled), names=tuple(names), fixed=compiled.params)

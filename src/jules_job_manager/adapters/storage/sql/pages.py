"""Pages of rows by key: each begins after the last row of the one before, whatever came or went."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Order:
    """By which columns a list is sorted; together they are unique, and none is NULL."""

    name: str
    """As the API calls it; a minus in front of it turns the order round."""
    columns: tuple[sa.ColumnElement[Any], ...]

    @property
    def is_descending(self) -> bool:
        """Whether the greatest comes first."""
        return self.name.startswith("-")


def orders(**columns: tuple[sa.ColumnElement[Any], ...]) -> dict[str, Order]:
    """Return each order and its reverse, by name."""
    return {
        name: Order(name, of)
        for word, of in columns.items()
        for name in (word, f"-{word}")
    }  # fmt: skip


def page_select(
    statement: sa.Select[Any], order: Order, *, after: str | None, limit: int | None
) -> sa.Select[Any]:
    """Return the statement for a page and one row more, with what `split` needs of each row.

    Args:
        statement: Selects the rows, without an order.
        order: That of the list.
        after: The cursor of the page before; None: from the beginning.
        limit: Rows of a page, >= 1; None: all.

    Raises:
        InvalidInputError: the limit or the cursor is none.
    """
    if limit is not None and limit < 1:
        raise InvalidInputError(f"A limit must be 1 or more, not {limit}.")
    columns = order.columns
    wanted = statement.add_columns(
        *(column.label(_label(place)) for place, column in enumerate(columns))
    )
    wanted = wanted.order_by(*(c.desc() if order.is_descending else c for c in columns))
    if after is not None:
        key, last = sa.tuple_(*columns), sa.tuple_(*_last(after, order))
        wanted = wanted.where(key < last if order.is_descending else key > last)
    return wanted if limit is None else wanted.limit(limit + 1)


def split(
    rows: Sequence[sa.RowMapping], order: Order, limit: int | None
) -> tuple[Sequence[sa.RowMapping], str | None]:
    """Return the rows of the page, and the cursor of the next."""
    if limit is None or len(rows) <= limit:
        return rows, None
    shown = rows[:limit]
    values = [shown[-1][_label(place)] for place in range(len(order.columns))]
    texts = [to_rfc3339(value) if isinstance(value, datetime) else value for value in values]
    return shown, json.dumps([order.name, *texts])


def _label(place: int) -> str:
    return f"order_{place}"


def _last(cursor: str, order: Order) -> list[sa.ColumnElement[Any]]:
    try:
        name, *values = json.loads(cursor)
        if name != order.name or len(values) != len(order.columns):
            raise ValueError(name)  # of another list, or another order of it
        return [
            sa.literal(_value(value, column.type), column.type)
            for value, column in zip(values, order.columns, strict=True)
        ]
    except (TypeError, ValueError):
        raise InvalidInputError(
            "The cursor is not one of this list.", hint="Begin again without a cursor."
        ) from None


def _value(value: object, kind: sa.types.TypeEngine[Any]) -> Any:
    """Return a value as its column takes it.

    Raises:
        ValueError: it is no such value.
    """
    wanted = int if isinstance(kind, sa.Integer) else str
    if type(value) is not wanted:
        raise ValueError(value)
    if isinstance(kind, schema.SortableTime | sa.DateTime):
        return from_rfc3339(str(value))
    return value

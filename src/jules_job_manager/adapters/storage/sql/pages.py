"""Pages of rows by key: each begins after the last row of the one before, whatever came or went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.page import cursor_after, not_of_this_list, place_after


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
    columns = order.columns
    wanted = statement.order_by(*(c.desc() if order.is_descending else c for c in columns))
    if after is not None:
        key, last = sa.tuple_(*columns), sa.tuple_(*_last(after, order))
        wanted = wanted.where(key < last if order.is_descending else key > last)
    if limit is None:
        return wanted
    if limit < 1:
        raise InvalidInputError(f"A limit must be 1 or more, not {limit}.")
    places = (column.label(_label(place)) for place, column in enumerate(columns))
    return wanted.add_columns(*places).limit(limit + 1)


def split(
    rows: Sequence[sa.RowMapping], order: Order, limit: int | None
) -> tuple[Sequence[sa.RowMapping], str | None]:
    """Return the rows of the page, and the cursor of the next."""
    if limit is None or len(rows) <= limit:
        return rows, None
    shown = rows[:limit]
    values = [shown[-1][_label(place)] for place in range(len(order.columns))]
    texts = [to_rfc3339(value) if isinstance(value, datetime) else value for value in values]
    return shown, cursor_after(order.name, *texts)


def _label(place: int) -> str:
    return f"order_{place}"


def _last(cursor: str, order: Order) -> list[sa.ColumnElement[Any]]:
    kinds = [int if isinstance(column.type, sa.Integer) else str for column in order.columns]
    place = place_after(cursor, order.name, *kinds)
    return [
        sa.literal(_value(part, column.type), column.type)
        for part, column in zip(place, order.columns, strict=True)
    ]


def _value(part: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    """Return a part of a place as its column takes it.

    Raises:
        InvalidInputError: it is no such value.
    """
    if not isinstance(kind, schema.SortableTime | sa.DateTime):
        return part
    try:
        return from_rfc3339(part)
    except ValueError:
        raise not_of_this_list() from None

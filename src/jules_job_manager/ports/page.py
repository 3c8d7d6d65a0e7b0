"""A part of a list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jules_job_manager.errors import InvalidInputError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """Some items of a list in its order, and how to go on."""

    items: tuple[T, ...] = ()
    next_cursor: str | None = None
    """Given back with the same query it leads to the next page; None: this is the last."""


def cursor_after(order: str, *place: str | int | bool) -> str:
    """Return the cursor of the page after this place in a list that is sorted by `order`."""
    return json.dumps([order, *place])


def place_after(cursor: str, order: str, *kinds: type[Any]) -> list[Any]:
    """Return the place that `cursor_after` was given.

    Args:
        cursor: What a client sent; anything at all.
        order: By which the list is sorted.
        kinds: What each part of a place is: str, int (one that databases take) or bool.

    Raises:
        InvalidInputError: it is no cursor of this list in this order.
    """
    place: list[Any]
    try:
        name, *place = json.loads(cursor)
    except (TypeError, ValueError, RecursionError):  # RecursionError: very many brackets
        raise not_of_this_list() from None
    if name != order or [type(part) for part in place] != list(kinds):
        raise not_of_this_list()
    if any(type(part) is int and not -(2**31) <= part < 2**31 for part in place):
        raise not_of_this_list()
    return place


def not_of_this_list() -> InvalidInputError:
    """Return what is raised for a cursor that a list did not give out."""
    return InvalidInputError(
        "The cursor is not one of this list.", hint="Begin again without a cursor."
    )

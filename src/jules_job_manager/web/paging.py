"""Parameters of lists, and opaque cursors."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from fastapi import Query
from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from jules_job_manager.domain.clockwork import require_aware
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.page import Page

MOST = 1000
_BOND_LETTERS = 8
_AGAIN = "Begin again without a cursor."
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items of this page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="`next_cursor` of the page before; none: the first page."),
]
Search = Annotated[
    str | None,
    Query(max_length=200, description="Only items that hold this text, whatever its case."),
]


def _counted(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise _none_of_ours() from None


NumberCursor = Annotated[
    Annotated[int, Field(ge=1, le=2**62), WrapValidator(_counted)] | None,
    Query(description="`next_cursor` of the page before; none: the first page."),
]
"""Of a list whose items have numbers: it may also be the number of any item."""


class Asked(Protocol):
    """What is asked of a list: a dataclass with the filters and the order, and these two."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def limit(self) -> int | None:
        """Most items of a page."""

    @property
    def after(self) -> str | None:
        """The cursor of the page before, opened."""


A = TypeVar("A", bound=Asked)


class _Shown(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


def page_dict(
    page: Page[Any], asked: Asked, items: Sequence[_Shown] | None = None
) -> dict[str, Any]:
    """Return a page as it is answered; `items` stand for its own, one or none for each."""
    shown = page.items if items is None else items
    return {
        "items": [item.to_dict() for item in shown],
        "next_cursor": sealed(page.next_cursor, asked),
    }


def sealed(cursor: str | None, asked: Asked) -> str | None:
    """Return a cursor as it is given away: its form is not part of the interface.

    It belongs to what was asked, but for the size of the page.
    """
    if cursor is None:
        return None
    text = f"{_bond(asked)}{cursor}"
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")


def going_on(asked: A, cursor: str | None) -> A:
    """Return what is asked, from where the page ended whose `next_cursor` this is; None: from the start.

    Raises:
        InvalidInputError: it is no cursor, or that of another list, or of other filters or another order.
    """
    if cursor is None:
        return asked
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise _none_of_ours() from None
    bond, after = text[:_BOND_LETTERS], text[_BOND_LETTERS:]
    if not re.fullmatch(r"[0-9a-f]+", bond) or len(bond) < _BOND_LETTERS:
        raise _none_of_ours()
    if bond != _bond(asked):
        raise InvalidInputError(
            "The cursor is of another list, or of other filters or another order.", hint=_AGAIN
        )
    return replace(asked, after=after)


def _bond(asked: Asked) -> str:
    """Return what a cursor has of the question it belongs to; it proves nothing, and need not."""
    told = [type(asked).__name__]
    told += [
        f"{name}={getattr(asked, name)!r}"
        for name in asked.__dataclass_fields__
        if name not in {"limit", "after"}
    ]
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[
        :_BOND_LETTERS
    ]


def _none_of_ours() -> InvalidInputError:
    return InvalidInputError("The cursor is none that was given out.", hint=_AGAIN)


def aware(moment: datetime | None) -> datetime | None:
    """Return a time that was given; none stays none.

    Raises:
        InvalidInputError: it has no zone, or is outside the calendar.
    """
    if moment is None:
        return None
    try:
        return require_aware(moment)
    except ValueError:
        wrong = "has no zone" if moment.tzinfo is None else "is outside the years 1 to 9999"
        raise InvalidInputError(
            f"A time {wrong}.", hint="Write it as 2026-11-01T09:00:00Z."
        ) from None

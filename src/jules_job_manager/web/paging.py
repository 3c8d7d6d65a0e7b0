"""Parameters of lists, and opaque cursors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import Query

from jules_job_manager.domain.clockwork import require_aware
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.page import Page

MOST = 1000
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items of this page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="`next_cursor` of the page before; none: the first page."),
]
Search = Annotated[
    str | None,
    Query(max_length=200, description="Only items that hold this text, whatever its case."),
]


class _Shown(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


def page_dict(page: Page[Any], items: Sequence[_Shown] | None = None) -> dict[str, Any]:
    """Return a page as it is answered; `items` stand for its own, one or none for each."""
    shown = page.items if items is None else items
    return {"items": [item.to_dict() for item in shown], "next_cursor": sealed(page.next_cursor)}


def sealed(cursor: str | None) -> str | None:
    """Return a cursor as it is given away: its form is not part of the interface."""
    if cursor is None:
        return None
    return base64.urlsafe_b64encode(cursor.encode("utf-8")).decode("ascii").rstrip("=")


def opened(cursor: str | None) -> str | None:
    """Return what `sealed` was given.

    Raises:
        InvalidInputError: it is no cursor.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise InvalidInputError(
            "The cursor is none that was given out.", hint="Begin again without a cursor."
        ) from None


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

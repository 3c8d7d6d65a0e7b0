"""Parameters of lists, and opaque cursors."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Query

from jules_job_manager.errors import InvalidInputError

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

"""Searching texts in rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from jules_job_manager.domain.text import storable_text


def holds(
    text: str, *, plain: Sequence[sa.Column[Any]], as_json: Sequence[sa.Column[Any]]
) -> sa.ColumnElement[bool]:
    """Return the condition that one of the columns holds the text.

    The case of ASCII letters does not matter; that of others does on SQLite and, where a text is
    kept as JSON, everywhere. There, the letters of an escape (`n` for a new line) are found too.

    Args:
        text: What to look for, as it is: `%` and `_` stand for themselves.
        plain: Columns with the text itself.
        as_json: Columns with a JSON string in which other than ASCII letters are escaped.
    """
    inside = json.dumps(text)[1:-1]
    found = [sa.cast(c, sa.Text).icontains(storable_text(text), autoescape=True) for c in plain]
    found += [sa.type_coerce(c, sa.Text).icontains(inside, autoescape=True) for c in as_json]
    return sa.or_(*found)

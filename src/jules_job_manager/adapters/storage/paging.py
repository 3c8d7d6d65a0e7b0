"""The order of task lists, and the cursors that lead from page to page: the same in every store."""

from __future__ import annotations

from datetime import UTC, datetime

from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.page import not_of_this_list

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_LIMIT = 1000


def sort_moment(task: JulesTask) -> datetime:
    """Return the time by which the task stands in lists: its change, else its creation, else when seen."""
    return task.updated_at or task.created_at or task.seen_at or EPOCH


def cursor_at(moment: datetime | str, task_id: str) -> str:
    """Return the cursor of the page after the task at this place; a text is the time in RFC 3339."""
    return f"{moment if isinstance(moment, str) else to_rfc3339(moment)}/{task_id}"


def cursor_parts(cursor: str) -> tuple[datetime, str]:
    """Read what `cursor_at` wrote.

    Raises:
        InvalidInputError: it is no cursor.
    """
    moment, slash, task_id = cursor.partition("/")
    try:
        if not slash:
            raise ValueError(cursor)
        return from_rfc3339(moment), task_id
    except ValueError as exc:
        raise not_of_this_list() from exc


def require_limit(limit: int) -> int:
    """Return `limit` when it is 1 to 1000.

    Raises:
        InvalidInputError: it is not.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError(f"A limit must be between 1 and {MAX_LIMIT}, not {limit}.")
    return limit

"""Reading tasks for those who only show them: as text, without making values of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.ports.task_store import TaskQuery


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskStanding:
    """Where a task stands. Times are RFC 3339 texts in UTC."""

    status: str
    raw_state: str
    updated_at: str | None
    seen_at: str | None
    last_message: str
    """What was said last in its conversation, whole; empty: nothing."""


def standing_of(task: JulesTask) -> TaskStanding:
    """Return where a task stands that was read whole."""
    return TaskStanding(
        status=task.status.value, raw_state=task.raw_state,
        updated_at=optional_to_rfc3339(task.updated_at), seen_at=optional_to_rfc3339(task.seen_at),
        last_message=task.chat_history[-1].content if task.chat_history else "",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPage:
    """One page of tasks, each the JSON text of `JulesTask.to_dict`, without chat and files."""

    items: tuple[str, ...]
    next_cursor: str | None = None


class TaskReader(Protocol):
    """Reads tasks of a store as the JSON text that `JulesTask.to_dict` yields, in ASCII.

    The text is that of `json.dumps` with the separators `,` and `:`. What is read is as new as what
    the store itself would return. Every method may raise what those of TaskStore do.
    """

    async def task(self, task_id: str) -> str | None:
        """Return the text of the task with exactly this id, with chat and files, or None.

        Numbers that JSON has not (NaN, Infinity) stand in it as Python writes them: its entity tag
        is that of the task.
        """
        ...

    async def standing(self, task_id: str) -> TaskStanding | None:
        """Return where the task with exactly this id stands, or None."""
        ...

    async def list_tasks(self, query: TaskQuery) -> TextPage:
        """Return one page; null stands for numbers that JSON has not.

        Raises:
            InvalidInputError: limit or cursor of the query cannot be used.
        """
        ...

    async def aclose(self) -> None:
        """Let go of files and connections. Safe to call twice."""
        ...

"""Finding tasks in the store, without asking Jules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from jules_job_manager.domain.references import task_id_from
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.text import storable_text
from jules_job_manager.errors import InvalidInputError, TaskNotFoundError
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_reader import TaskReader, TaskStanding

T = TypeVar("T")
SeenStanding = tuple[str, TaskStanding]
"""The full id of a task, and where it stands."""


async def resolve_task(store: Store, reference: str) -> str:
    """Return the full task id for an id, the first characters of one, or a web address.

    What no stored task starts with is taken for a full id.

    Raises:
        InvalidInputError: it is none of these, or more than one stored task starts so.
    """
    wanted = task_id_from(reference)
    found = await store.tasks.find_task_ids(wanted, limit=3)
    if wanted in found or not found:
        return wanted
    if len(found) > 1:
        raise InvalidInputError(
            f"More than one task starts with {wanted!r}: {', '.join(found)}.",
            hint="Give more characters of the id.",
        )
    return found[0]


async def stored_task(store: Store, reference: str) -> JulesTask:
    """Return what the store knows of a task.

    Raises:
        TaskNotFoundError: the store does not know it.
    """
    task_id = await resolve_task(store, reference)
    task = await store.tasks.get_task(task_id)
    if task is None:
        raise _unknown(task_id)
    return task


async def task_if_stored(store: Store, reference: str) -> JulesTask | None:
    """Return what the store knows of a task; None of one that it does not know, or not which."""
    try:
        return await stored_task(store, reference)
    except (TaskNotFoundError, InvalidInputError):
        return None


async def stored_text(store: Store, reader: TaskReader, reference: str) -> str:
    """Return the JSON text of what the store knows of a task; see TaskReader.

    A whole id costs one read; only what is none is looked for as the beginning of one.

    Raises:
        TaskNotFoundError: the store does not know it.
        InvalidInputError: as for `resolve_task`.
    """
    return await _read(store, reference, reader.task)


async def stored_standing(store: Store, reader: TaskReader, reference: str) -> SeenStanding:
    """Return the full id of a task, and where it stands.

    Raises:
        TaskNotFoundError, InvalidInputError: as for `stored_text`.
    """

    async def read(task_id: str) -> SeenStanding | None:
        found = await reader.standing(task_id)
        return None if found is None else (storable_text(task_id), found)

    return await _read(store, reference, read)


async def _read(store: Store, reference: str, read: Callable[[str], Awaitable[T | None]]) -> T:
    found = await read(task_id_from(reference))
    if found is None:
        task_id = await resolve_task(store, reference)
        found = await read(task_id)
        if found is None:
            raise _unknown(task_id)
    return found


def _unknown(task_id: str) -> TaskNotFoundError:
    return TaskNotFoundError(
        f"The store has no task {task_id}.", hint="Leave out --cached to ask Jules."
    )


@contextmanager
def asking_for(task_id: str) -> Iterator[None]:
    """Say in our own words, with a next step, that Jules knows no task of this id."""
    try:
        yield
    except TaskNotFoundError as exc:
        raise TaskNotFoundError(
            f"There is no task {task_id}.", hint="`jjm list` shows the tasks.",
            context={"task_id": task_id},
        ) from exc  # fmt: skip

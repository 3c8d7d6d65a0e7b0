"""Ending the task of a job that was taken out of the queue."""

from __future__ import annotations

from jules_job_manager.errors import JulesManagerError, UnsupportedOperationError
from jules_job_manager.services.tasks import TaskService


async def end_task(tasks: TaskService | None, task_id: str, what: str) -> str:
    """Do to the task what was asked for; return what came of it, in words.

    Args:
        tasks: Of the account that the task is in; None: there is no such account any more.
        task_id: Its id.
        what: `keep`, `delete`, or `archive`, which also stops it.
    """
    if what == "keep":
        return f"Task {task_id} goes on at Jules."
    if tasks is None:
        return f"Task {task_id} may go on at Jules: its account is no longer configured."
    try:
        if what == "delete":
            await tasks.delete_task(task_id)
            return f"Task {task_id} is deleted."
        await tasks.set_archived(task_id, archived=True)
    except UnsupportedOperationError as exc:
        return f"Task {task_id} goes on at Jules: {exc}"
    except JulesManagerError as exc:
        return f"Task {task_id} may go on at Jules: {exc}. Try: jjm archive {task_id}"
    return f"Task {task_id} is archived."

"""A way to reach Jules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Protocol

from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.task import JulesTask, NewTask, Source, TaskStatus


class Capability(StrEnum):
    """What not every backend can do. Asking for one that is missing raises UnsupportedOperationError."""

    ACTIVITIES = "activities"
    ARCHIVE = "archive"
    DELETE = "delete"
    SOURCES = "sources"
    TITLES = "titles"
    """A title given at creation is kept whole."""
    PLAN_APPROVAL_CHOICE = "plan_approval_choice"
    """`NewTask.require_plan_approval` has an effect."""
    LIST_STATUS = "list_status"
    """`list_tasks` tells where a task stands now, not only how it began."""


class OperationOutcome(StrEnum):
    """What an operation that is safe to ask for came to."""

    DONE = "done"
    NOT_NEEDED = "not_needed"
    """Nothing waited for it (no plan to approve, not paused). Not an error."""


class Backend(Protocol):
    """One account of Jules, over one technology.

    Every method may raise AuthenticationError, BackendConnectionError (after its own safe
    retries) and OperationFailedError; those that name a task also TaskNotFoundError.
    A create or a message is never repeated by the backend: when its outcome is unclear it
    raises UnclearOutcomeError and the caller looks before trying again.
    """

    @property
    def name(self) -> str:
        """`rest`, `mcp` or `simulator`."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this backend can do beyond the common core."""
        ...

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        include_archived: bool = False,
        limit: int | None = None,
    ) -> Sequence[JulesTask]:
        """Return tasks, newest first, following all pages until `limit` (>= 1; None: all)."""
        ...

    def iter_tasks(self, *, include_archived: bool = False) -> AsyncIterator[JulesTask]:
        """Yield tasks, newest first, asking for the next hundred only when they are wanted."""
        ...

    async def get_task(self, task_id: str) -> JulesTask:
        """Return one task. Chat, plan and files are filled only where no activities exist."""
        ...

    async def create_task(self, new: NewTask) -> JulesTask:
        """Create a task and return it.

        Raises:
            InvalidInputError: Jules refused the repository, branch or text.
            QuotaExceededError: no task is left in the account's window.
            PreconditionFailedError: refused without a reason; the task may exist all the same.
            UnclearOutcomeError: the answer was lost; the task may exist.
        """
        ...

    async def send_message(self, task_id: str, text: str) -> None:
        """Send `text` to the task's conversation.

        Raises:
            UnclearOutcomeError: the answer was lost; the message may have arrived.
        """
        ...

    async def approve_plan(self, task_id: str) -> OperationOutcome:
        """Approve the latest plan. NOT_NEEDED when none waits."""
        ...

    async def resume_task(self, task_id: str) -> OperationOutcome:
        """Make a paused task go on. NOT_NEEDED when it is not paused."""
        ...

    async def list_activities(
        self, task_id: str, *, after: str | None = None
    ) -> Sequence[Activity]:
        """Return activities, oldest first; with `after` (a `created_at_raw`) the later ones only.

        Activities with the very time of the cursor may be left out or repeated: callers ask from
        the last time they hold and drop ids they know.

        Raises:
            UnsupportedOperationError: without Capability.ACTIVITIES.
        """
        ...

    async def set_archived(self, task_id: str, archived: bool) -> None:
        """Archive the task, or bring it back.

        Raises:
            UnsupportedOperationError: without Capability.ARCHIVE.
        """
        ...

    async def delete_task(self, task_id: str) -> None:
        """Delete the task for good; one that is already gone counts as deleted.

        Raises:
            UnsupportedOperationError: without Capability.DELETE.
        """
        ...

    async def list_sources(self) -> Sequence[Source]:
        """Return the repositories Jules may work on.

        Raises:
            UnsupportedOperationError: without Capability.SOURCES.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections and processes. Safe to call twice."""
        ...

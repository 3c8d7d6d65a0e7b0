"""Documents that were sent to the service: kept in the store, never looked for among files."""

from __future__ import annotations

from jules_job_manager.errors import BacklogError
from jules_job_manager.ports.store import Store
from jules_job_manager.services.backlog_change import ImportReport
from jules_job_manager.services.backlog_text import jobs_as_markdown
from jules_job_manager.services.backlogs import BacklogService

PREFIX = "upload:"
"""Begins the name of a document that was sent, so that it never is that of a file."""
MOST_CHARACTERS = 4_000_000
"""Of a document that is taken in."""
_NOTE = "uploaded_backlog."


def is_uploaded(name: str) -> bool:
    """Whether a backlog's name in the queue is that of a document that was sent."""
    return name.startswith(PREFIX)


class UploadedBacklogs:
    """Takes documents in, and gives them back with the queue's progress in them."""

    def __init__(self, *, backlogs: BacklogService, store: Store) -> None:
        """Bind the parts; the store must keep jobs."""
        self._backlogs = backlogs
        self._store = store

    async def take_in(
        self,
        name: str,
        content: str,
        *,
        repository: str = "",
        base_branch: str = "",
        dry_run: bool = False,
        removes: bool = True,
    ) -> ImportReport:
        """Read a document into the queue; see `BacklogService.import_backlog`.

        Args:
            name: How the sender calls it; the queue calls it `upload:NAME`.
            content: Its text.
            repository: `owner/name` for its jobs; empty keeps what they had.
            base_branch: Branch they start from; empty keeps what they had.
            dry_run: Only say what would happen.
            removes: Let jobs that were never begun leave the queue when they left the document.

        Raises:
            BacklogError: it cannot be used. Nothing is changed then.
        """
        path = PREFIX + name
        report = await self._backlogs.import_backlog(
            path=path, content=content.encode("utf-8"), repository=repository,
            base_branch=base_branch, dry_run=dry_run, removes=removes,
        )  # fmt: skip
        if not dry_run:
            await self._store.set_note(_NOTE + path, content)
        return report

    async def exported(self, name: str) -> str:
        """Return a backlog as it now stands: its document with progress, or a new one where that is gone.

        Args:
            name: As the queue calls it; empty: the jobs that are in no document.

        Raises:
            BacklogError: the queue has no jobs of it.
        """
        jobs = [job for job in await self._store.jobs.list_jobs() if job.backlog == name]
        if not jobs:
            raise BacklogError(f"The queue has no jobs of {name!r}.")
        if not is_uploaded(name):  # a file that this machine, or another, read in
            try:
                return (await self._backlogs.exported(name)).decode("utf-8", "replace")
            except BacklogError:
                return jobs_as_markdown(jobs)
        content = await self._store.get_note(_NOTE + name)
        if content is None:
            return jobs_as_markdown(jobs)
        return (await self._backlogs.exported(name, content.encode("utf-8"))).decode("utf-8")

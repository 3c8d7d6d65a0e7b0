"""Documents, sent to the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.client import models as m
from jules_job_manager.client.operations import Operations
from jules_job_manager.client.store import here_only
from jules_job_manager.domain.backlog import Problem
from jules_job_manager.domain.job import Job
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.services.backlog_change import ImportReport
from jules_job_manager.services.backlog_sync import BacklogSync
from jules_job_manager.services.backlogs import BacklogService
from jules_job_manager.services.uploaded_backlogs import MOST_CHARACTERS, PREFIX

_PAGE = 1000
MOST_NAME_CHARACTERS = 500


class RemoteBacklogs(BacklogService):
    """`BacklogService` by a service. A document is sent, and called `upload:PATH` there."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def import_backlog(
        self,
        *,
        path: str,
        content: bytes,
        repository: str = "",
        base_branch: str = "",
        moved_from: str = "",
        dry_run: bool = False,
        removes: bool = True,
    ) -> ImportReport:
        """See `BacklogService.import_backlog`."""
        if moved_from:
            here_only()
        body: m.BacklogIn = {
            "name": _checked_name(path), "content": _checked_text(content), "repository": repository,
            "base_branch": base_branch, "dry_run": dry_run, "removes": removes,
        }  # fmt: skip
        found = await self._operations.import_backlog(body=body)
        return ImportReport(
            title=found["title"],
            backlog=found["backlog"].removeprefix(PREFIX),
            jobs=tuple(Job.from_dict(job) for job in found["jobs"]),
            added=tuple(found["added"]),
            updated=tuple(found["updated"]),
            changed=tuple(found["changed"]),
            removed=tuple(found["removed"]),
            kept=tuple(found["kept"]),
            problems=_problems(found["problems"]),
            differences=_problems(found["differences"]),
        )

    async def backlogs(self) -> tuple[str, ...]:
        """See `BacklogService.backlogs`."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await self._operations.list_backlogs(limit=_PAGE, cursor=cursor)
            found += [backlog["name"] for backlog in page["items"] if backlog["name"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                return tuple(found)

    async def exported(self, path: str, content: bytes | None = None) -> bytes:
        """See `BacklogService.exported`."""
        del content
        return (await self._operations.export_backlog(name=path)).encode("utf-8")

    async def write_back(
        self,
        path: str,
        *,
        may_write: Callable[[bytes], Awaitable[bool]] | None = None,
        wrote: Callable[[bytes], Awaitable[None]] | None = None,
    ) -> bool:
        """Refuse it: the service has no file of it."""
        del path, may_write, wrote
        here_only()


class RemoteDocuments(BacklogSync):
    """Keeps nothing together: the service keeps the text that it was sent."""

    def __init__(self) -> None:
        """Need nothing."""

    async def remember(self, path: str, content: bytes) -> None:
        """Do nothing."""

    async def bring_in(self, path: str) -> ImportReport | None:
        """Do nothing."""

    async def write_back(self, path: str) -> ImportReport | None:
        """Do nothing."""


def _checked_name(path: str) -> str:
    if len(path) > MOST_NAME_CHARACTERS or any(c < " " or c == "\x7f" for c in path):
        raise InvalidInputError(
            f"A service takes no document whose path has over {MOST_NAME_CHARACTERS} characters or a "
            "control character.",
            hint="Give the document another place or name.",
        )
    return path


def _checked_text(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    if not text:
        MarkdownBacklogDocuments().read(content)  # says what is wrong, as beside the store
    if len(text) > MOST_CHARACTERS:
        raise InvalidInputError(
            f"The document has {len(text):,} characters; a service takes {MOST_CHARACTERS:,}.",
            hint="Split it, or import it on the machine that has the store.",
        )
    return text


def _problems(found: list[m.ProblemOut]) -> tuple[Problem, ...]:
    return tuple(Problem(line=item["line"], message=item["message"]) for item in found)

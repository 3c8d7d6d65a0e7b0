"""Keeping a document and the queue together: edits come in, progress goes out, neither is lost."""

from __future__ import annotations

import hashlib

from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.backlog_change import ImportReport
from jules_job_manager.services.backlog_file import is_being_saved, read_file, stamp_of
from jules_job_manager.services.backlogs import BacklogService
from jules_job_manager.services.uploaded_backlogs import is_uploaded

SEEN_NOTE = "backlog_seen."


class BacklogSync:
    """Brings edits of documents into the queue, and the queue's progress into documents.

    What was last read or written on a machine is noted in the store by its hash, so that an edit
    is found also when it was made while nothing ran, and a machine with an older copy of the
    document brings nothing of that in.
    """

    def __init__(
        self,
        *,
        backlogs: BacklogService,
        store: Store,
        clock: Clock,
        machine: str,
        writes: bool = True,
    ) -> None:
        """Bind the parts.

        Args:
            backlogs: Imports and writes.
            store: Keeps the notes.
            clock: Waits while somebody else is saving.
            machine: The name of this one.
            writes: False: documents are only read.
        """
        self._backlogs = backlogs
        self._machine = machine
        self._store = store
        self._clock = clock
        self._writes = writes
        self._stamps: dict[str, object] = {}
        """Of files looked at, as they then were."""

    async def remember(self, path: str, content: bytes) -> None:
        """Note what the document now says, so that only other words count as an edit."""
        await self._store.set_note(self._note(path), _digest(content))

    async def bring_in(self, path: str) -> ImportReport | None:
        """Import the document if it was edited; None when it was not, or came from elsewhere.

        Nothing leaves the queue by this: a job that is no longer in the document is only named.

        Raises:
            BacklogError: what the document says cannot be used. It is looked at again once it
                is saved again.
        """
        stamp = None if is_uploaded(path) else stamp_of(path)
        if stamp is None or stamp == self._stamps.get(path) or is_being_saved(path):
            return None
        self._stamps[path] = stamp
        return await self._import_if_new(path, read_file(path))

    async def write_back(self, path: str) -> ImportReport | None:
        """Put the queue's progress into the document, after its edits were brought in.

        Returns:
            What came of the edits; None when there were none.

        Raises:
            BacklogError: it cannot be read, used or written.
        """
        if not self._writes or is_uploaded(path):
            return None
        reports: list[ImportReport | None] = [None]

        async def may_write(content: bytes) -> bool:
            if is_being_saved(path) and await self._is_new(path, content):
                await self._clock.sleep(1)
                return False
            reports.append(await self._import_if_new(path, content))
            return True

        async def wrote(content: bytes) -> None:
            self._stamps.pop(path, None)
            await self.remember(path, content)

        await self._backlogs.write_back(path, may_write=may_write, wrote=wrote)
        return reports[-1]

    async def _import_if_new(self, path: str, content: bytes) -> ImportReport | None:
        if not await self._is_new(path, content):
            return None
        report = await self._backlogs.import_backlog(path=path, content=content, removes=False)
        await self.remember(path, content)
        return report

    async def _is_new(self, path: str, content: bytes) -> bool:
        known = await self._store.get_note(self._note(path))
        return known is not None and known != _digest(content)

    def _note(self, path: str) -> str:
        return f"{SEEN_NOTE}{self._machine}.{path}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

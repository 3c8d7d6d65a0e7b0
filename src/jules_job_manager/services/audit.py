"""The audit log: writing what was done, reading it, proving that nobody changed it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from jules_job_manager.domain.audit import AuditEntry, Caller, Verification
from jules_job_manager.errors import DamagedStoreError, InvalidInputError
from jules_job_manager.ports.audit_log import AuditLog, AuditQuery
from jules_job_manager.ports.clock import Clock

PAGE = 500


class AuditService:
    """What may be done with the audit log."""

    def __init__(self, *, log: AuditLog, clock: Clock, retention: timedelta | None = None) -> None:
        """Bind the log.

        Args:
            log: Keeps the entries.
            clock: Tells the time.
            retention: How long entries are kept; None: for ever.
        """
        self._log = log
        self._clock = clock
        self._retention = retention

    async def record(
        self,
        caller: Caller,
        operation: str,
        *,
        resource: str = "",
        result: str = "done",
        before: Any = None,
        after: Any = None,
    ) -> AuditEntry:
        """Write down that somebody did something, or was refused.

        Args:
            caller: Who, and from where.
            operation: `area.verb`.
            resource: To what.
            result: `done`, `refused` or `failed`.
            before: How it was, as JSON values; secrets are masked.
            after: How it is now, likewise.
        """
        entry = caller.did(
            operation, at=self._clock.now(), resource=resource, result=result, before=before, after=after
        )  # fmt: skip
        (added,) = await self._log.append([entry])
        return added

    async def newest(
        self, query: AuditQuery, *, limit: int, before_number: int | None = None
    ) -> Sequence[AuditEntry]:
        """Return entries, newest first, at most `limit` (1 to 1000); `before_number` goes on from a page."""
        return await self._log.read(
            query, newest_first=True, limit=limit, before_number=before_number
        )

    async def entries(self, query: AuditQuery | None = None) -> AsyncIterator[AuditEntry]:
        """Yield every entry that fits, oldest first, without holding them all."""
        last = 0
        while page := await self._log.read(query, after_number=last, limit=PAGE):
            for entry in page:
                yield entry
            last = max(last + 1, page[-1].number)

    async def verify(self, *, expected_head: str = "") -> Verification:
        """Read the whole log and return what is wrong with it, if anything.

        Args:
            expected_head: A head that was written down before, as `NUMBER:HASH` or `HASH`; empty: none.

        Raises:
            InvalidInputError: it is no head.
            DamagedStoreError: an entry cannot be read at all.
        """
        number, head = _head(expected_head)
        chain = Verification(expected_head=head, expected_number=number)
        async for entry in self.entries():
            chain = chain.after(entry)
        return chain.ended()

    async def page(
        self, query: AuditQuery, *, limit: int, after_number: int = 0
    ) -> Sequence[AuditEntry]:
        """Return entries, oldest first, at most `limit` (1 to 1000), from after a number on."""
        return await self._log.read(query, limit=limit, after_number=after_number)

    async def prune(self, caller: Caller) -> AuditEntry | None:
        """Remove what is older than the retention; return the anchor that stands for it, or None.

        Raises:
            DamagedStoreError: the log was changed; nothing is removed from what may be evidence.
        """
        if self._retention is None:
            return None
        now = self._clock.now()
        moment = now - self._retention
        oldest = await self._log.read(limit=1)
        if not oldest or oldest[0].at >= moment:
            return None
        chain = await self.verify()
        if chain.problems:
            raise DamagedStoreError(
                f"The audit log was changed, so nothing old is removed from it. {chain.problems[0].text}",
                hint="See all of it with: jjm audit verify",
            )
        who = caller.principal
        return await self._log.remove_before(moment, at=now, actor=who.name, kind=who.kind.value)


def _head(text: str) -> tuple[int, str]:
    if not text:
        return 0, ""
    number, colon, digest = text.strip().rpartition(":")
    is_number = not colon or (number.isascii() and number.isdecimal() and len(number) < 12)
    if not is_number or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InvalidInputError(
            "That is no head of the audit log.",
            hint="Give what jjm audit verify printed: NUMBER:HASH",
        )
    return int(number) if colon else 0, digest

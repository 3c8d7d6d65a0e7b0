"""The audit log in rows. Triggers keep its rows from being changed; see migration 0005."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import require_limit
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import (
    AUDIT_LOCK_OPTION,
    shown_address,
    take_lock,
    transaction,
)
from jules_job_manager.domain.audit import AuditEntry, NewAuditEntry, anchor, linked
from jules_job_manager.domain.text import storable_text
from jules_job_manager.errors import DamagedStoreError
from jules_job_manager.ports.audit_log import AuditQuery

_TABLE = schema.audit_log
_COLUMNS = schema.audit_log.c
_FIELDS = tuple(field.name for field in fields(AuditEntry))
_ENTRY = tuple(_COLUMNS[name] for name in _FIELDS)


class SqlAuditLog:
    """The AuditLog port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def append(self, entries: Sequence[NewAuditEntry]) -> Sequence[AuditEntry]:
        """Add entries in order and return them as links of the chain."""
        if not entries:
            return []
        async with transaction(self._engine, writes=True) as connection:
            return await append_entries(connection, entries)

    async def read(
        self,
        query: AuditQuery | None = None,
        *,
        after_number: int = 0,
        before_number: int | None = None,
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        """Return entries between two numbers."""
        require_limit(limit)
        number = _COLUMNS.number
        chosen = sa.select(*_ENTRY).where(number > after_number).limit(limit)
        if before_number is not None:
            chosen = chosen.where(number < before_number)
        chosen = chosen.where(*_wanted(query or AuditQuery()))
        chosen = chosen.order_by(number.desc() if newest_first else number)
        async with transaction(self._engine, writes=False) as connection:
            try:
                return [AuditEntry(**row) for row in (await connection.execute(chosen)).mappings()]
            except ValueError as exc:  # a time or JSON text that is none
                where = shown_address(self._engine)
                raise DamagedStoreError(
                    f"An entry of the audit log in {where} cannot be read: {exc}"
                ) from exc

    async def remove_before(
        self, moment: datetime, *, at: datetime, actor: str, kind: str
    ) -> AuditEntry | None:
        """Remove the oldest entries, after an anchor entry that stands for them."""
        async with transaction(self._engine, writes=True) as connection:
            await take_lock(connection, AUDIT_LOCK_OPTION)
            kept = sa.select(sa.func.min(_COLUMNS.number)).where(_COLUMNS.at >= moment)
            first_kept = (await connection.execute(kept)).scalar()
            old = sa.select(*_ENTRY).order_by(_COLUMNS.number.desc()).limit(1)
            if first_kept is not None:
                old = old.where(_COLUMNS.number < first_kept)
            row = (await connection.execute(old)).mappings().one_or_none()
            if row is None:
                return None
            last = AuditEntry(**row)
            said = anchor(at=at, actor=actor, kind=kind, last=last)
            (added,) = await append_entries(connection, [said])
            await connection.execute(sa.delete(_TABLE).where(_COLUMNS.number <= last.number))
        return added


async def append_entries(
    connection: AsyncConnection, entries: Sequence[NewAuditEntry]
) -> list[AuditEntry]:
    """Add entries inside a transaction that writes. Take no row locks after it: others wait here."""
    if not entries:
        return []
    await take_lock(connection, AUDIT_LOCK_OPTION)
    newest = sa.select(*_ENTRY).order_by(_COLUMNS.number.desc()).limit(1)
    row = (await connection.execute(newest)).mappings().one_or_none()
    previous = None if row is None else AuditEntry(**row)
    added: list[AuditEntry] = []
    for entry in entries:
        previous = linked(entry, previous)
        added.append(previous)
    await connection.execute(sa.insert(_TABLE), [row_of_entry(entry) for entry in added])
    return added


def row_of_entry(entry: AuditEntry) -> dict[str, Any]:
    """Return what the table's columns hold for an entry."""
    row = {name: getattr(entry, name) for name in _FIELDS}
    return {**row, "removed_through": entry.removed_through}


def _wanted(query: AuditQuery) -> list[sa.ColumnElement[bool]]:
    found = [
        _COLUMNS[name] == storable_text(getattr(query, name))
        for name in ("actor", "resource", "result", "request_id")
        if getattr(query, name)
    ]
    if query.since is not None:
        found.append(_COLUMNS.at >= query.since)
    if query.until is not None:
        found.append(_COLUMNS.at < query.until)
    if query.operation:
        word = storable_text(query.operation)
        area = _COLUMNS.operation.startswith(f"{word}.", autoescape=True)
        found.append(sa.or_(_COLUMNS.operation == word, area))
    return found

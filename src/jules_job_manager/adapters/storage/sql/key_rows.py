"""API keys in rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.audit_rows import append_entries
from jules_job_manager.adapters.storage.sql.engine import KEYS_LOCK_OPTION, take_lock, transaction
from jules_job_manager.domain.access import ApiKey, Permission, Role
from jules_job_manager.domain.audit import NewAuditEntry

_TABLE = schema.access_keys
_COLUMNS = schema.access_keys.c


class SqlKeyStore:
    """The KeyStore port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def add(
        self, key: ApiKey, *, audit: Sequence[NewAuditEntry] = (), if_no_admin: bool = False
    ) -> bool:
        """Keep a new key; with `if_no_admin` only as the first of an admin."""
        async with transaction(self._engine, writes=True) as connection:
            if if_no_admin:
                await take_lock(connection, KEYS_LOCK_OPTION)
                query = sa.select(sa.literal(1)).where(_COLUMNS.role == Role.ADMIN.value).limit(1)
                if (await connection.execute(query)).scalar() is not None:
                    return False
            await connection.execute(sa.insert(_TABLE), [_row(key)])
            await append_entries(connection, audit)
        return True

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, or None."""
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(_one(key_id))).mappings().one_or_none()
        return None if row is None else _key(row)

    async def list_keys(self) -> Sequence[ApiKey]:
        """Return every key, oldest first."""
        query = sa.select(_TABLE).order_by(_COLUMNS.created_at, _COLUMNS.id)
        async with transaction(self._engine, writes=False) as connection:
            return [_key(row) for row in (await connection.execute(query)).mappings()]

    async def end(
        self,
        key_id: str,
        *,
        revoked_at: datetime | None = None,
        expires_at: datetime | None = None,
        audit: Sequence[NewAuditEntry] = (),
    ) -> bool:
        """Revoke a key, or let it expire sooner."""
        async with transaction(self._engine, writes=True) as connection:
            found = await _locked(connection, key_id)
            if found is None:
                return False
            changed = {"revoked_at": _sooner(found.revoked_at, revoked_at),
                       "expires_at": _sooner(found.expires_at, expires_at)}  # fmt: skip
            await connection.execute(_change(key_id).values(**changed))
            await append_entries(connection, audit)
        return True

    async def replace(
        self,
        old_id: str,
        new: ApiKey,
        *,
        old_ends_at: datetime,
        audit: Sequence[NewAuditEntry] = (),
    ) -> bool:
        """Keep a new key and let the old one expire."""
        async with transaction(self._engine, writes=True) as connection:
            found = await _locked(connection, old_id)
            if found is None or found.revoked_at is not None:
                return False
            ends = _sooner(found.expires_at, old_ends_at)
            await connection.execute(_change(old_id).values(expires_at=ends))
            await connection.execute(sa.insert(_TABLE), [_row(new)])
            await append_entries(connection, audit)
        return True

    async def note_use(self, key_id: str, at: datetime, *, unless_after: datetime) -> bool:
        """Write down when a key was used, unless a use after `unless_after` is known."""
        is_old = sa.or_(_COLUMNS.last_used_at.is_(None), _COLUMNS.last_used_at <= unless_after)
        async with transaction(self._engine, writes=True) as connection:
            change = _change(key_id).where(is_old).values(last_used_at=at)
            return bool((await connection.execute(change)).rowcount)


def _one(key_id: str) -> sa.Select[tuple[Any, ...]]:
    return sa.select(_TABLE).where(_COLUMNS.id == key_id)


def _change(key_id: str) -> sa.Update:
    return sa.update(_TABLE).where(_COLUMNS.id == key_id)


async def _locked(connection: AsyncConnection, key_id: str) -> ApiKey | None:
    row = (await connection.execute(_one(key_id).with_for_update())).mappings().one_or_none()
    return None if row is None else _key(row)


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "digest": key.digest,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def _key(row: sa.RowMapping) -> ApiKey:
    scopes = frozenset(Permission(word) for word in row["scopes"])
    return ApiKey(**{**row, "role": Role(row["role"]), "scopes": scopes})

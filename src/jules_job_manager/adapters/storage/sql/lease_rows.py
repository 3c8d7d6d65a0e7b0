"""Leases in rows."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import (
    LOCK_WAIT_OPTION,
    STANDING_STILL_OPTION,
    run_option,
    shared_now,
    transaction,
)
from jules_job_manager.adapters.storage.sql.failures import is_held
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.text import storable_text
from jules_job_manager.errors import LeaseLostError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.lease_store import Lease

_COLUMNS = schema.leases.c


class _RowIsHeldError(Exception):
    """Another transaction has locked the row for longer than is waited for."""


class SqlLeaseStore:
    """The LeaseStore port on SQL."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        """Use an engine whose schema is up to date; `clock` counts where the database has none."""
        self._engine = engine
        self._clock = clock

    async def acquire(
        self, name: str, owner: str, *, seconds: float, steal: bool = False
    ) -> Lease | None:
        """Take the lease if it is free, expired or already this owner's."""
        try:
            return await self._acquire(storable_text(name), storable_text(owner), seconds, steal)
        except _RowIsHeldError:
            return None

    async def _acquire(self, name: str, owner: str, seconds: float, steal: bool) -> Lease | None:
        async with transaction(self._engine, writes=True) as connection:
            await run_option(connection, STANDING_STILL_OPTION)
            await run_option(connection, LOCK_WAIT_OPTION)
            first = {"name": name, "owner": "", "token": 0, "until": EPOCH}
            known = upsert(connection, schema.leases).on_conflict_do_nothing()
            await connection.execute(known, [first])
            row = await _locked_row(connection, name)
            now = await shared_now(connection, self._clock)
            if row["owner"] not in {"", owner} and now < row["until"] and not steal:
                return None
            token = row["token"] + (row["owner"] != owner)
            until = now + timedelta(seconds=seconds)
            lease = Lease(name=name, owner=owner, token=token, until=until)
            await _write(connection, lease)
        return lease

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """Make the lease last from now; None when another owner has it."""
        async with transaction(self._engine, writes=True) as connection:
            await run_option(connection, STANDING_STILL_OPTION)
            row = (
                (await connection.execute(_row(lease.name).with_for_update()))
                .mappings()
                .one_or_none()
            )
            if row is None or (row["owner"], row["token"]) != (lease.owner, lease.token):
                return None
            until = await shared_now(connection, self._clock) + timedelta(seconds=seconds)
            renewed = Lease(name=lease.name, owner=lease.owner, token=lease.token, until=until)
            await _write(connection, renewed)
        return renewed

    async def release(self, lease: Lease) -> None:
        """Give it back; its token stays known."""
        mine = sa.update(schema.leases).where(
            _COLUMNS.name == lease.name,
            _COLUMNS.owner == lease.owner,
            _COLUMNS.token == lease.token,
        )
        async with transaction(self._engine, writes=True) as connection:
            await connection.execute(mine.values(owner="", until=EPOCH))

    async def current(self, name: str) -> Lease | None:
        """Return the lease as it stands, or None when nobody ever had it."""
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(_row(storable_text(name)))).mappings().one_or_none()
        return None if row is None or not row["owner"] else Lease(**row)


def _row(name: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(schema.leases).where(_COLUMNS.name == name)


async def _locked_row(connection: AsyncConnection, name: str) -> sa.RowMapping:
    try:
        return (await connection.execute(_row(name).with_for_update())).mappings().one()
    except sa.exc.DBAPIError as exc:
        if is_held(exc):
            raise _RowIsHeldError from exc
        raise


async def _write(connection: AsyncConnection, lease: Lease) -> None:
    change = sa.update(schema.leases).where(_COLUMNS.name == lease.name)
    await connection.execute(change.values(owner=lease.owner, token=lease.token, until=lease.until))


async def require_lease(connection: AsyncConnection, lease: Lease, clock: Clock) -> None:
    """Check, inside a transaction that writes, that the lease holds; it cannot change before its end.

    Raises:
        LeaseLostError: it expired, or another owner has it.
    """
    query = _row(lease.name).with_for_update(read=True)
    row = (await connection.execute(query)).mappings().one_or_none()
    now = await shared_now(connection, clock)
    if (
        row is None
        or (row["owner"], row["token"]) != (lease.owner, lease.token)
        or row["until"] <= now
    ):
        raise LeaseLostError(context={"lease": lease.name, "owner": lease.owner})

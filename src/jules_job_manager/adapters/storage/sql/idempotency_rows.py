"""Answers kept by idempotency key, in rows."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import shared_now, transaction
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.text import storable_text
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.idempotency_store import Claim, KeptAnswer

_TABLE = schema.idempotent_requests
_COLUMNS = schema.idempotent_requests.c


class SqlIdempotencyStore:
    """The IdempotencyStore port on SQL."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        """Use an engine whose schema is up to date; `clock` counts where the database has none."""
        self._engine = engine
        self._clock = clock

    async def claim(
        self,
        owner: str,
        key: str,
        *,
        fingerprint: str,
        token: str,
        lease_seconds: float,
        keep_seconds: float,
    ) -> Claim:
        """Take the right to do a request, or learn what became of it."""
        owner, key = storable_text(owner), storable_text(key)
        async with transaction(self._engine, writes=True) as connection:
            now = await shared_now(connection, self._clock)
            mine = {
                "fingerprint": fingerprint, "token": token, "status": None, "headers": None, "body": None,
                "leased_until": now + timedelta(seconds=lease_seconds),
                "kept_until": now + timedelta(seconds=keep_seconds),
            }  # fmt: skip
            whole = upsert(connection, _TABLE).values(owner=owner, key=key, **mine)
            new = await connection.execute(whole.on_conflict_do_nothing().returning(_COLUMNS.token))
            if new.scalar_one_or_none() is not None:
                return Claim(outcome="claimed")
            query = sa.select(_TABLE).where(_is(owner, key)).with_for_update()
            row = (await connection.execute(query)).mappings().one_or_none()
            now = await shared_now(connection, self._clock)  # the lock may have been waited for
            is_again = row is not None and row["kept_until"] > now
            if row is not None and row["kept_until"] > now:
                if row["fingerprint"] != fingerprint:
                    return Claim(outcome="other")
                if row["status"] is not None:
                    return Claim(outcome="answered", answer=_answer(row))
                if row["leased_until"] > now:
                    return Claim(outcome="running")
            await connection.execute(
                whole.on_conflict_do_update(index_elements=["owner", "key"], set_=mine)
            )
            return Claim(outcome="claimed", is_again=is_again)

    async def answer(self, owner: str, key: str, *, token: str, answer: KeptAnswer) -> bool:
        """Keep the answer; False when another try has taken over meanwhile."""
        headers = [list(pair) for pair in answer.headers]
        return await self._change(
            owner, key, token, {"status": answer.status, "headers": headers, "body": answer.body}
        )

    async def renew(self, owner: str, key: str, *, token: str, lease_seconds: float) -> bool:
        """Let others wait longer, from now."""
        async with transaction(self._engine, writes=False) as connection:
            now = await shared_now(connection, self._clock)
        until = now + timedelta(seconds=lease_seconds)
        return await self._change(owner, key, token, {"leased_until": until})

    async def release(self, owner: str, key: str, *, token: str) -> None:
        """Forget a claim whose work was not done."""
        mine = _is(owner, key) & (_COLUMNS.token == token) & _COLUMNS.status.is_(None)
        async with transaction(self._engine, writes=True) as connection:
            await connection.execute(sa.delete(_TABLE).where(mine))

    async def sweep(self) -> int:
        """Forget answers that were kept long enough."""
        async with transaction(self._engine, writes=True) as connection:
            now = await shared_now(connection, self._clock)
            gone = sa.delete(_TABLE).where(_COLUMNS.kept_until <= now)
            return int((await connection.execute(gone)).rowcount)

    async def _change(self, owner: str, key: str, token: str, values: dict[str, object]) -> bool:
        mine = _is(owner, key) & (_COLUMNS.token == token)
        async with transaction(self._engine, writes=True) as connection:
            change = sa.update(_TABLE).where(mine, _COLUMNS.status.is_(None)).values(**values)
            return bool((await connection.execute(change)).rowcount)


def _is(owner: str, key: str) -> sa.ColumnElement[bool]:
    return (_COLUMNS.owner == storable_text(owner)) & (_COLUMNS.key == storable_text(key))


def _answer(row: sa.RowMapping) -> KeptAnswer:
    headers = tuple((name, value) for name, value in row["headers"])
    return KeptAnswer(status=row["status"], headers=headers, body=bytes(row["body"]))

"""What people sign in with, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.audit_rows import append_entries
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.key_rows import SqlKeyStore
from jules_job_manager.domain.access import EndedSignIns, Role, SignInToken, WebSession
from jules_job_manager.domain.audit import NewAuditEntry

_TOKENS = schema.sign_in_tokens
_SESSIONS = schema.web_sessions


class SqlSignInStore:
    """The SignInStore port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine

    async def add_token(self, token: SignInToken, *, audit: Sequence[NewAuditEntry] = ()) -> None:
        """Keep something that may be redeemed once."""
        row = {"digest": token.digest, "kind": token.kind, "expires_at": token.expires_at,
               "data": dict(token.data)}  # fmt: skip
        async with transaction(self._engine, writes=True) as connection:
            await connection.execute(sa.insert(_TOKENS), [row])
            await append_entries(connection, audit)

    async def take_token(self, digest: str, kind: str, now: datetime) -> SignInToken | None:
        """Return it and forget it; of several that ask, one gets it."""
        taken = sa.delete(_TOKENS).where(_TOKENS.c.digest == digest, _TOKENS.c.kind == kind)
        async with transaction(self._engine, writes=True) as connection:
            found = await connection.execute(taken.returning(*_TOKENS.c))
            row = found.mappings().one_or_none()
        return _token(row, now)

    async def look_at_token(self, digest: str, kind: str, now: datetime) -> SignInToken | None:
        """Return it and leave it there."""
        query = sa.select(_TOKENS).where(_TOKENS.c.digest == digest, _TOKENS.c.kind == kind)
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return _token(row, now)

    async def add_session(
        self,
        session: WebSession,
        *,
        redeems: SignInToken | None = None,
        audit: Sequence[NewAuditEntry] = (),
    ) -> bool:
        """Keep a session; for a token that it redeems, which is forgotten, both or neither."""
        row = {"digest": session.digest, "name": session.name, "role": session.role.value,
               "origin": session.origin, "created_at": session.created_at,
               "seen_at": session.seen_at, "expires_at": session.expires_at}  # fmt: skip
        async with transaction(self._engine, writes=True) as connection:
            if redeems is not None:
                used = sa.delete(_TOKENS).where(_TOKENS.c.digest == redeems.digest)
                if not (await connection.execute(used)).rowcount:
                    return False
            await connection.execute(sa.insert(_SESSIONS), [row])
            await append_entries(connection, audit)
        return True

    async def get_session(self, digest: str) -> WebSession | None:
        """Return a session, or None."""
        query = sa.select(_SESSIONS).where(_SESSIONS.c.digest == digest)
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _session(row)

    async def list_sessions(self) -> Sequence[WebSession]:
        """Return every session, oldest first."""
        query = sa.select(_SESSIONS).order_by(_SESSIONS.c.created_at, _SESSIONS.c.digest)
        async with transaction(self._engine, writes=False) as connection:
            return [_session(row) for row in (await connection.execute(query)).mappings()]

    async def note_seen(self, digest: str, at: datetime) -> None:
        """Write down when a session was last used."""
        change = sa.update(_SESSIONS).where(_SESSIONS.c.digest == digest, _SESSIONS.c.seen_at < at)
        async with transaction(self._engine, writes=True) as connection:
            await connection.execute(change.values(seen_at=at))

    async def end_session(self, digest: str, *, audit: Sequence[NewAuditEntry] = ()) -> int:
        """End one session."""
        ended = sa.delete(_SESSIONS).where(_SESSIONS.c.digest == digest)
        async with transaction(self._engine, writes=True) as connection:
            count = (await connection.execute(ended)).rowcount
            if count:
                await append_entries(connection, audit)
        return int(count)

    async def end_person(
        self, name: str, *, now: datetime, audit: Sequence[NewAuditEntry] = ()
    ) -> EndedSignIns:
        """End all sessions of a person and the links that would sign them in, in one step."""
        links = sa.select(_TOKENS).where(_TOKENS.c.kind == "link", _TOKENS.c.expires_at > now)
        async with transaction(self._engine, writes=True) as connection:
            rows = (await connection.execute(links)).mappings()
            theirs = [row["digest"] for row in rows if row["data"].get("name") == name]
            gone = sa.delete(_TOKENS).where(_TOKENS.c.digest.in_(theirs))
            unused = (await connection.execute(gone)).rowcount if theirs else 0
            # After the links: whoever was using one has a session by now, or will find it gone.
            over = sa.delete(_SESSIONS).where(_SESSIONS.c.name == name)
            count = (await connection.execute(over)).rowcount
            ended = EndedSignIns(sessions=int(count), links=int(unused))
            if ended:
                await append_entries(connection, audit)
        return ended

    async def sweep(self, now: datetime) -> int:
        """Forget what expired."""
        count = 0
        async with transaction(self._engine, writes=True) as connection:
            for table in (_TOKENS, _SESSIONS):
                gone = sa.delete(table).where(table.c.expires_at <= now)
                count += int((await connection.execute(gone)).rowcount)
        return count


class SqlAccessStore:
    """The AccessStore port on SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose schema is up to date."""
        self.keys = SqlKeyStore(engine)
        self.sign_ins = SqlSignInStore(engine)


def _token(row: sa.RowMapping | None, now: datetime) -> SignInToken | None:
    return None if row is None or row["expires_at"] <= now else SignInToken(**row)


def _session(row: sa.RowMapping) -> WebSession:
    return WebSession(**{**row, "role": Role(row["role"])})

"""Keeping who may come in: API keys, what may be redeemed once, and people's sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from jules_job_manager.domain.access import ApiKey, EndedSignIns, SignInToken, WebSession
from jules_job_manager.domain.audit import NewAuditEntry


class KeyStore(Protocol):
    """Keeps API keys. What `audit` says is written in the same transaction, or nothing is."""

    async def add(
        self, key: ApiKey, *, audit: Sequence[NewAuditEntry] = (), if_no_admin: bool = False
    ) -> bool:
        """Keep a new key.

        Args:
            key: The key; its id is new.
            audit: What to write into the audit log with it.
            if_no_admin: Do nothing when there ever was a key of an admin. Of several programs that
                do this at once, one makes its key.

        Returns:
            Whether it was kept.

        Raises:
            StoreError: the id is taken.
        """
        ...

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, whatever its state, or None."""
        ...

    async def list_keys(self) -> Sequence[ApiKey]:
        """Return every key, oldest first."""
        ...

    async def end(
        self,
        key_id: str,
        *,
        revoked_at: datetime | None = None,
        expires_at: datetime | None = None,
        audit: Sequence[NewAuditEntry] = (),
    ) -> bool:
        """Revoke a key, or let it expire sooner; neither is ever undone or put off.

        Returns:
            Whether there is such a key.
        """
        ...

    async def replace(
        self,
        old_id: str,
        new: ApiKey,
        *,
        old_ends_at: datetime,
        audit: Sequence[NewAuditEntry] = (),
    ) -> bool:
        """Keep a new key and let the old one expire, both or neither.

        Returns:
            Whether the old one was there and not revoked; nothing is done otherwise.
        """
        ...

    async def note_use(self, key_id: str, at: datetime, *, unless_after: datetime) -> bool:
        """Write down when a key was used, unless a use after `unless_after` is known.

        Returns:
            Whether it was written.
        """
        ...


class SignInStore(Protocol):
    """Keeps what people sign in with. Every digest is the SHA-256 of what the person has."""

    async def add_token(self, token: SignInToken, *, audit: Sequence[NewAuditEntry] = ()) -> None:
        """Keep something that may be redeemed once."""
        ...

    async def take_token(self, digest: str, kind: str, now: datetime) -> SignInToken | None:
        """Return it and forget it; of several that ask, one gets it. None: gone or expired."""
        ...

    async def look_at_token(self, digest: str, kind: str, now: datetime) -> SignInToken | None:
        """Return it and leave it there; None: gone or expired."""
        ...

    async def add_session(
        self,
        session: WebSession,
        *,
        redeems: SignInToken | None = None,
        audit: Sequence[NewAuditEntry] = (),
    ) -> bool:
        """Keep a session; for a token that it redeems, which is forgotten, both or neither.

        Returns:
            Whether it is kept: not when the token was taken or ended meanwhile.
        """
        ...

    async def get_session(self, digest: str) -> WebSession | None:
        """Return a session, live or not, or None."""
        ...

    async def list_sessions(self) -> Sequence[WebSession]:
        """Return every session, oldest first."""
        ...

    async def note_seen(self, digest: str, at: datetime) -> None:
        """Write down when a session was last used."""
        ...

    async def end_session(self, digest: str, *, audit: Sequence[NewAuditEntry] = ()) -> int:
        """End one session; return how many there were."""
        ...

    async def end_person(
        self, name: str, *, now: datetime, audit: Sequence[NewAuditEntry] = ()
    ) -> EndedSignIns:
        """End all sessions of a person and the links that would sign them in, in one step."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Forget what expired; return how many tokens and sessions that were."""
        ...


class AccessStore(Protocol):
    """Both together."""

    @property
    def keys(self) -> KeyStore:
        """The API keys."""
        ...

    @property
    def sign_ins(self) -> SignInStore:
        """What people sign in with."""
        ...

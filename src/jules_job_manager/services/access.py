"""API keys: made, listed, revoked, rotated, and told apart from what is no key."""

from __future__ import annotations

import logging
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jules_job_manager.domain.access import (
    ID_BYTES,
    PERMISSIONS,
    SECRET_BYTES,
    ApiKey,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    digest_of,
    is_same,
    parts_of,
    secret_text,
)
from jules_job_manager.domain.access import MOST_NAME_LETTERS as _MOST_LETTERS
from jules_job_manager.domain.audit import Caller
from jules_job_manager.domain.text import safe_text, storable_text
from jules_job_manager.errors import (
    AccessDeniedError,
    AccessKeyNotFoundError,
    InvalidInputError,
    SignInRequiredError,
    StoreError,
)
from jules_job_manager.ports.access_store import AccessStore
from jules_job_manager.ports.clock import Clock

_LOG = logging.getLogger(__name__)
FIRST_KEY_NAME = "first-admin"
USE_NOTED_EVERY = timedelta(minutes=1)
_RESERVED = frozenset({"anonymous", "jjm", "person", "system"})
"""Actors of what the program itself does, and of whoever is not known; nobody may go under their names."""
_RESERVED_PREFIX = "cli:"
"""Begins the actor of commands on the machine of the store."""
_NO_DIGEST = "0" * 64
_MOST_REMEMBERED = 1000
SYSTEM = Principal(name="jjm", kind=PrincipalKind.LOCAL, role=Role.ADMIN)
"""Who the program itself acts as."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedKey:
    """A new key with its text, which is not kept and can be shown this once."""

    key: ApiKey
    text: str


class AccessService:
    """What may be done with API keys."""

    def __init__(
        self,
        *,
        store: AccessStore,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        remember_seconds: float = 0.0,
    ) -> None:
        """Bind the store.

        Args:
            store: Keeps the keys.
            clock: Tells the time.
            random_bytes: Returns that many bytes that nobody can guess.
            remember_seconds: A good key is not looked up again for so long: what another process
                revokes goes on working here for that time. 0: each is looked up each time.
        """
        self._remember = remember_seconds
        self._remembered: dict[str, tuple[ApiKey, float]] = {}
        self._keys = store.keys
        self._clock = clock
        self._random_bytes = random_bytes

    async def create(
        self,
        name: str,
        role: Role,
        *,
        caller: Caller,
        scopes: frozenset[Permission] = frozenset(),
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Make a key.

        Args:
            name: Who uses it, 1 to 64 characters; the actor of what is done with it.
            role: What it may do at most.
            caller: Who makes it. Nobody gives more than they have.
            scopes: What it is narrowed to; empty: all that the role has.
            expires_at: When it stops working; None: never.

        Raises:
            InvalidInputError: name, scopes or expiry cannot be used, or the name is taken.
            AccessDeniedError: the caller may not give this.
        """
        now = self._clock.now()
        name = checked_name(name)
        _check_scopes(role, scopes)
        if expires_at is not None and expires_at <= now:
            raise InvalidInputError("The key would expire before it is used.")
        if any(
            key.name == name and key.state(now) == "active" for key in await self._keys.list_keys()
        ):
            raise InvalidInputError(
                f"There is a key named {name!r}.",
                hint="Give another name, or rotate or revoke that key.",
            )
        issued = self._issue(
            name=name, role=role, scopes=scopes, expires_at=expires_at, created_by=caller.principal.name
        )  # fmt: skip
        require_may_give(caller, issued.key.principal())
        said = caller.did(
            "key.create", at=now, resource=_resource(issued.key), after=issued.key.to_dict(now)
        )
        await self._keys.add(issued.key, audit=[said])
        return issued

    def now(self) -> datetime:
        """Return the time that the states of keys are told by."""
        return self._clock.now()

    async def list_keys(self) -> Sequence[ApiKey]:
        """Return every key, oldest first."""
        return await self._keys.list_keys()

    async def find(self, reference: str) -> ApiKey:
        """Return the key with this id, name or text.

        Raises:
            AccessKeyNotFoundError: there is none.
            InvalidInputError: several that are in use have this name.
        """
        reference = reference.strip()
        found = (
            await self._keys.get(reference.removeprefix("jjm_")[:8]) if _is_id(reference) else None
        )
        if found is not None:
            return found
        now = self._clock.now()
        named = [key for key in await self._keys.list_keys() if key.name == reference]
        named = [key for key in named if key.state(now) == "active"] or named[-1:]
        if not named:
            shown = "of this text" if parts_of(reference) else f"{reference!r}"
            raise AccessKeyNotFoundError(
                f"There is no key {shown}.", hint="List them with: jjm key list"
            )
        if len(named) > 1:
            ids = ", ".join(key.id for key in named)
            raise InvalidInputError(
                f"{len(named)} keys are named {reference!r}.",
                hint=f"Give one's id in place of the name, oldest first: {ids}",
            )
        return named[0]

    async def revoke(self, reference: str, *, caller: Caller) -> ApiKey:
        """Make a key stop working at once; done again it changes nothing.

        Raises:
            AccessKeyNotFoundError, InvalidInputError: as `find`.
        """
        key = await self.find(reference)
        now = self._clock.now()
        if key.revoked_at is not None:
            return key
        ended = replace(key, revoked_at=now)
        said = caller.did(
            "key.revoke", at=now, resource=_resource(key), before=key.to_dict(now), after=ended.to_dict(now)
        )  # fmt: skip
        await self._keys.end(key.id, revoked_at=now, audit=[said])
        self._remembered.clear()
        return ended

    async def rotate(
        self,
        reference: str,
        *,
        caller: Caller,
        overlap: timedelta = timedelta(0),
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Make a successor of a key, with its name, role and scopes.

        Args:
            reference: As for `find`.
            caller: Who asks.
            overlap: How long the old key goes on working.
            expires_at: When the new one stops working; None: after as long as the old one had.

        Raises:
            AccessKeyNotFoundError: there is none, or it was revoked.
            InvalidInputError: it is named by several, or `overlap` or `expires_at` is in the past.
            AccessDeniedError: the caller may not give what it may do.
        """
        old = await self.find(reference)
        now = self._clock.now()
        if overlap < timedelta(0) or (expires_at is not None and expires_at <= now):
            raise InvalidInputError("The new key would end before it is used.")
        require_may_give(caller, old.principal())
        if expires_at is None and old.expires_at is not None:
            expires_at = now + (old.expires_at - old.created_at)
        issued = self._issue(
            name=old.name, role=old.role, scopes=old.scopes, expires_at=expires_at,
            created_by=caller.principal.name,
        )  # fmt: skip
        after = {"replaced_by": issued.key.id, "old_ends_in_seconds": overlap.total_seconds()}
        said = caller.did(
            "key.rotate", at=now, resource=_resource(old), before=old.to_dict(now), after=after
        )
        if not await self._keys.replace(
            old.id, issued.key, old_ends_at=now + overlap, audit=[said]
        ):
            raise AccessKeyNotFoundError(
                f"The key {old.name!r} was revoked.", hint="Make a new one with: jjm key create"
            )
        self._remembered.clear()
        return issued

    async def authenticate(self, text: str) -> Principal:
        """Return who acts with this key.

        Raises:
            SignInRequiredError: it is none, or unknown, expired or revoked: all in the same words.
        """
        text = text.strip()
        now = self._clock.now()
        key = self._remembered_key(text) or await self._looked_up(text)
        if key is None or key.state(now) != "active":
            raise SignInRequiredError(
                "The API key is not valid.",
                hint="It may be mistyped, expired or revoked; an admin can make one with: jjm key create",
                context={"given": "key"},
            )
        noted = await self._note_use(key, now)
        if noted is not key:
            self._remember_key(text, noted)
        return key.principal()

    async def _looked_up(self, text: str) -> ApiKey | None:
        parts = parts_of(text)
        key = None if parts is None else await self._keys.get(parts[0])
        digest = parts[1] if parts else _NO_DIGEST
        is_right = is_same(digest, _NO_DIGEST if key is None else key.digest)
        if key is None or not is_right:
            return None
        self._remember_key(text, key)
        return key

    def _remembered_key(self, text: str) -> ApiKey | None:
        found = self._remembered.get(digest_of(text)) if self._remember else None
        if found is None or self._clock.monotonic_seconds() >= found[1]:
            return None
        return found[0]

    def _remember_key(self, text: str, key: ApiKey) -> None:
        if self._remember:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            until = self._clock.monotonic_seconds() + self._remember
            self._remembered[digest_of(text)] = (key, until)

    async def first_admin(self) -> IssuedKey | None:
        """Make the first admin's key, or return None when there ever was one."""
        now = self._clock.now()
        issued = self._issue(
            name=FIRST_KEY_NAME, role=Role.ADMIN, scopes=frozenset(), expires_at=None, created_by="jjm"
        )  # fmt: skip
        said = Caller(principal=SYSTEM).did(
            "key.create", at=now, resource=_resource(issued.key), after=issued.key.to_dict(now)
        )
        return issued if await self._keys.add(issued.key, audit=[said], if_no_admin=True) else None

    def _issue(
        self, *, name: str, role: Role, scopes: frozenset[Permission], expires_at: datetime | None,
        created_by: str,
    ) -> IssuedKey:  # fmt: skip
        text = secret_text(self._random_bytes(ID_BYTES + SECRET_BYTES))
        parts = parts_of(text)
        assert parts is not None
        key = ApiKey(
            id=parts[0], name=name, role=role, digest=parts[1], created_at=self._clock.now(),
            created_by=created_by, scopes=scopes, expires_at=expires_at,
        )  # fmt: skip
        return IssuedKey(key=key, text=text)

    async def _note_use(self, key: ApiKey, now: datetime) -> ApiKey:
        before = now - USE_NOTED_EVERY
        if key.last_used_at is not None and key.last_used_at > before:
            return key
        try:
            await self._keys.note_use(key.id, now, unless_after=before)
        except StoreError as exc:  # who may come in does not hang on a note
            _LOG.warning("the use of a key was not noted: %s", exc)
        return replace(key, last_used_at=now)


def checked_name(name: str) -> str:
    """Return a name that may be shown as an actor.

    Raises:
        InvalidInputError: it is empty, too long, reserved, or has characters that cannot be seen.
    """
    name = " ".join(name.split())
    if not name or len(name) > _MOST_LETTERS:
        raise InvalidInputError(f"A name has 1 to {_MOST_LETTERS} characters.")
    if safe_text(name) != name or storable_text(name) != name or name.startswith("jjm_"):
        raise InvalidInputError(
            "The name has characters that cannot be shown, or looks like a key."
        )
    if is_reserved(name):
        raise InvalidInputError(
            f"The name {name!r} is what the program calls itself, anybody, or users of this machine."
        )
    return name


def is_reserved(name: str) -> bool:
    """Return whether the actor of something else would go under this name, or one that looks like it."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    return plain in _RESERVED or plain.startswith(_RESERVED_PREFIX)


def require_may_give(caller: Caller, given: Principal) -> None:
    """Refuse to give what the caller does not have.

    Raises:
        AccessDeniedError: so it is.
    """
    missing = given.permissions - caller.principal.permissions
    if missing:
        raise AccessDeniedError(
            "Nobody can give more than they may do themselves.",
            hint=f"You lack: {', '.join(sorted(missing))}",
        )


def _check_scopes(role: Role, scopes: frozenset[Permission]) -> None:
    wider = scopes - PERMISSIONS[role]
    if wider:
        raise InvalidInputError(
            f"A key of the role {role} cannot have the scope {min(wider)}.",
            hint="Scopes narrow a role; give a higher role, or leave the scope out.",
        )


def _is_id(reference: str) -> bool:
    return len(reference) == 8 or reference.startswith("jjm_")


def _resource(key: ApiKey) -> str:
    return f"key:{key.id}"

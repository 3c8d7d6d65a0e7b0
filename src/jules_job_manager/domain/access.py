"""Who may do what: roles, permissions, principals, and the texts that prove who somebody is.

An API key reads `jjm_<id>_<secret>`: a prefix that people and secret scanners recognise, an id of
8 characters that may be shown, and 256 random bits as 43 characters. Only the SHA-256 of the secret
is kept. A slow hash (argon2, bcrypt) protects passwords because people choose guessable ones; 256
random bits cannot be guessed at any speed, and a fast hash keeps each request cheap.
Source: OWASP Cryptographic Storage and Password Storage cheat sheets, read 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from jules_job_manager.domain.clockwork import (
    from_rfc3339,
    optional_from_rfc3339,
    optional_to_rfc3339,
    require_aware,
    to_rfc3339,
)

ID_BYTES = 8
"""Random bytes that `secret_text` makes an id of."""
SECRET_BYTES = 32
"""Random bytes of a secret."""
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_SECRET_TEXT = re.compile(r"jjm_(?P<id>[a-z0-9]{8})_(?P<secret>[A-Za-z0-9_-]{43})\Z")
MOST_NAME_LETTERS = 64


class Role(StrEnum):
    """How much somebody may do: a viewer looks, an operator works, an admin also decides who may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that may be allowed: `area:act`."""

    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    QUEUE_READ = "queue:read"
    QUEUE_WRITE = "queue:write"
    REVIEWS_READ = "reviews:read"
    REVIEWS_WRITE = "reviews:write"
    EVENTS_READ = "events:read"
    BACKLOGS_READ = "backlogs:read"
    BACKLOGS_WRITE = "backlogs:write"
    HEALTH_READ = "health:read"
    METRICS_READ = "metrics:read"
    SETTINGS_READ = "settings:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    KEYS_MANAGE = "keys:manage"
    AUDIT_READ = "audit:read"


_VIEWER = frozenset(
    {
        Permission.TASKS_READ, Permission.QUEUE_READ, Permission.REVIEWS_READ, Permission.EVENTS_READ,
        Permission.BACKLOGS_READ, Permission.HEALTH_READ, Permission.METRICS_READ,
    }
)  # fmt: skip
_OPERATOR = _VIEWER | {
    Permission.TASKS_WRITE, Permission.QUEUE_WRITE, Permission.REVIEWS_WRITE, Permission.BACKLOGS_WRITE,
    Permission.SETTINGS_READ,
}  # fmt: skip
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {Role.VIEWER: _VIEWER, Role.OPERATOR: _OPERATOR, Role.ADMIN: frozenset(Permission)}
)
"""What each role may do; each has all of the one before it."""


class PrincipalKind(StrEnum):
    """What stands behind a principal: a program's key, a person's session, or this machine's user."""

    KEY = "key"
    PERSON = "person"
    LOCAL = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who acts. `name` is shown as the actor of events and of the audit log."""

    name: str
    kind: PrincipalKind
    role: Role
    scopes: frozenset[Permission] = frozenset()
    """What it is narrowed to; empty: all that the role has."""
    key_id: str = ""
    """Of a key: its id. Of a session: the first characters of its digest."""

    @property
    def permissions(self) -> frozenset[Permission]:
        """All it may do. Scopes narrow the role and never widen it."""
        granted = PERMISSIONS[self.role]
        return granted & self.scopes if self.scopes else granted

    def may(self, permission: Permission) -> bool:
        """Whether it may do this."""
        return permission in self.permissions


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """What is kept of a key. The key itself is shown once, when it is made."""

    id: str
    name: str
    role: Role
    digest: str
    """SHA-256 of the secret, in hexadecimal."""
    created_at: datetime
    created_by: str
    scopes: frozenset[Permission] = frozenset()
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse times without a zone.

        Raises:
            ValueError: one has none.
        """
        for moment in (self.created_at, self.expires_at, self.revoked_at, self.last_used_at):
            if moment is not None:
                require_aware(moment)

    def state(self, now: datetime) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active"

    def principal(self) -> Principal:
        """Return who acts when this key is used."""
        return Principal(
            name=self.name, kind=PrincipalKind.KEY, role=self.role, scopes=self.scopes, key_id=self.id
        )  # fmt: skip

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """Return it as JSON values, without the digest."""
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.value,
            "scopes": sorted(self.scopes),
            "state": self.state(now),
            "created_at": to_rfc3339(self.created_at),
            "created_by": self.created_by,
            "expires_at": optional_to_rfc3339(self.expires_at),
            "revoked_at": optional_to_rfc3339(self.revoked_at),
            "last_used_at": optional_to_rfc3339(self.last_used_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; there is no digest in it."""
        return cls(
            id=data["id"], name=data["name"], role=Role(data["role"]), digest="",
            scopes=scopes_from(data["scopes"]), created_at=from_rfc3339(data["created_at"]),
            created_by=data["created_by"], expires_at=optional_from_rfc3339(data["expires_at"]),
            revoked_at=optional_from_rfc3339(data["revoked_at"]),
            last_used_at=optional_from_rfc3339(data["last_used_at"]),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInToken:
    """Something that may be redeemed once: a link for a person, or a begun sign-in elsewhere."""

    digest: str
    kind: str
    """`link` or `oidc`."""
    expires_at: datetime
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedSignIns:
    """What a person had to be inside with, or to come in with, when it was ended."""

    sessions: int = 0
    links: int = 0
    """Links that nobody had used yet."""

    def __bool__(self) -> bool:
        """Whether there was anything."""
        return bool(self.sessions or self.links)


@dataclass(frozen=True, kw_only=True, slots=True)
class WebSession:
    """A person who is signed in with a browser. Its id is known to the browser alone."""

    digest: str
    name: str
    role: Role
    origin: str
    """How the person proved who they are: `link` or `oidc`."""
    created_at: datetime
    seen_at: datetime
    expires_at: datetime

    def is_live(self, now: datetime, idle: timedelta) -> bool:
        """Whether it still counts: neither too old nor unused for `idle`."""
        return now < self.expires_at and now < self.seen_at + idle

    def shown(self) -> SignedIn:
        """Return what may be shown of it."""
        return SignedIn(
            id=self.digest[:8], name=self.name, role=self.role, origin=self.origin,
            created_at=self.created_at, last_used_at=self.seen_at, expires_at=self.expires_at,
        )  # fmt: skip

    def principal(self) -> Principal:
        """Return who acts in this session."""
        return Principal(
            name=self.name, kind=PrincipalKind.PERSON, role=self.role, key_id=self.digest[:8]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """What may be shown of a person's session: nothing with which somebody could go on with it."""

    id: str
    """As `Principal.key_id`."""
    name: str
    role: Role
    origin: str
    """How the person proved who they are: `link` or `oidc`."""
    created_at: datetime
    last_used_at: datetime
    """Written at most once a minute."""
    expires_at: datetime
    """It ends then at the latest; sooner when it is not used."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.value,
            "origin": self.origin,
            "created_at": to_rfc3339(self.created_at),
            "last_used_at": to_rfc3339(self.last_used_at),
            "expires_at": to_rfc3339(self.expires_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            id=data["id"], name=data["name"], role=Role(data["role"]), origin=data["origin"],
            created_at=from_rfc3339(data["created_at"]),
            last_used_at=from_rfc3339(data["last_used_at"]),
            expires_at=from_rfc3339(data["expires_at"]),
        )  # fmt: skip


def secret_text(random_bytes: bytes) -> str:
    """Return a secret to be given away, as `jjm_<id>_<secret>`.

    Args:
        random_bytes: `ID_BYTES` + `SECRET_BYTES` bytes that nobody can guess.

    Raises:
        ValueError: there are more or fewer.
    """
    if len(random_bytes) != ID_BYTES + SECRET_BYTES:
        raise ValueError(f"{ID_BYTES + SECRET_BYTES} bytes are needed")
    name = "".join(_ID_LETTERS[byte % 32] for byte in random_bytes[:ID_BYTES])
    secret = base64.urlsafe_b64encode(random_bytes[ID_BYTES:]).decode("ascii").rstrip("=")
    return f"jjm_{name}_{secret}"


def parts_of(text: str) -> tuple[str, str] | None:
    """Return the id and the digest of the secret in such a text, or None when it is none."""
    found = _SECRET_TEXT.match(text)
    return None if found is None else (found["id"], digest_of(found["secret"]))


def digest_of(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8"), other.encode("utf-8"))


def csrf_token(session_text: str) -> str:
    """Return the text that a page must send with every change, bound to the session.

    It is worked out from the session's secret id and does not give the id away, so nothing is kept.
    Source: OWASP Cross-Site Request Forgery Prevention cheat sheet (HMAC-based token), read 2026-11.
    """
    found = hmac.new(session_text.encode("utf-8"), b"jjm csrf 1", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(found).decode("ascii").rstrip("=")


def scopes_from(words: Iterable[str]) -> frozenset[Permission]:
    """Read permissions by their words.

    Raises:
        ValueError: there is no such permission.
    """
    return frozenset(Permission(word) for word in words)

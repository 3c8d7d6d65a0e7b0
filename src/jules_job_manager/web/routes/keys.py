"""API keys, sign-in links and people's sessions over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from jules_job_manager.domain.access import MOST_NAME_LETTERS, ApiKey, Permission, Principal, Role
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.services.access import IssuedKey
from jules_job_manager.web.access import gate_of, needs
from jules_job_manager.web.auditing import note_audited
from jules_job_manager.web.idempotency import (
    IdempotentRoute,
    IssuingRoute,
    done_once,
    note_issued,
)
from jules_job_manager.web.schemas.base import Instant, example_of

router = APIRouter(tags=["keys"], route_class=IdempotentRoute)
issuing = APIRouter(tags=["keys"], route_class=IssuingRoute, dependencies=[Depends(done_once)])
"""Routes whose answers hold a secret."""
_NEW_KEY = "If that answer did not arrive, give the key a successor: jjm key rotate {}"
_NEW_LINK = "If that answer did not arrive, make another link; the first works for minutes only."
Manager = Annotated[Principal, Depends(needs(Permission.KEYS_MANAGE))]
KeyName = Annotated[str, Path(max_length=80, description="The key's id or name.")]
_EXAMPLE: JsonDict = {
    "id": "ab12cd34", "name": "ci", "role": "operator", "scopes": [], "state": "active",
    "created_at": "2026-11-24T12:00:00.000000Z", "created_by": "ada", "expires_at": None,
    "revoked_at": None, "last_used_at": None,
}  # fmt: skip


class KeyView(BaseModel):
    """What is known of a key; the key itself is not."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    id: str
    name: str = Field(description="The actor of what is done with it.")
    role: Role
    scopes: list[Permission] = Field(description="What it is narrowed to; empty: all of the role.")
    state: str = Field(description="active, expired or revoked.")
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None = Field(description="Written at most once a minute.")


class IssuedKeyView(KeyView):
    """A new key, with the key itself, this once."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**_EXAMPLE, "key": "jjm_ab12cd34_SECRET"}}
    )

    key: str = Field(description="To be sent as Authorization: Bearer KEY. It is shown this once.")


class KeyPage(BaseModel):
    """Every key, oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_EXAMPLE]}})

    items: list[KeyView]


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "ci",
                "role": "operator",
                "scopes": ["tasks:read"],
                "expires_at": "2027-01-01T00:00:00Z",
            }
        },
    )

    name: str = Field(min_length=1, max_length=MOST_NAME_LETTERS)
    role: Role
    scopes: list[Permission] = Field(default_factory=list, max_length=len(Permission))
    expires_at: Instant | None = None


class Rotation(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"overlap_seconds": 3600}}
    )

    overlap_seconds: float = Field(
        default=0.0, ge=0, le=90 * 86400, description="The old key goes on working for so long."
    )
    expires_at: Instant | None = None


class NewLink(BaseModel):
    """A person who is to sign in."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Ada", "role": "viewer"}}
    )

    name: str = Field(min_length=1, max_length=MOST_NAME_LETTERS)
    role: Role


class LinkView(BaseModel):
    """A link that signs a person in, once."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Ada",
                "role": "viewer",
                "url": "https://jjm.example.org/sign-in?token=jjm_ab12cd34_SECRET",
                "expires_at": "2026-11-24T12:00:00.000000Z",
            }
        }
    )

    name: str
    role: Role
    url: str
    expires_at: str


class SignedInView(BaseModel):
    """Somebody who is signed in with a browser. What the browser keeps is not shown."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "9f86d081",
                "name": "Ada",
                "role": "viewer",
                "origin": "link",
                "created_at": "2026-11-24T12:00:00.000000Z",
                "last_used_at": "2026-11-24T14:30:00.000000Z",
                "expires_at": "2026-12-01T12:00:00.000000Z",
            }
        }
    )

    id: str = Field(description="Tells two sessions of one person apart, and is no secret.")
    name: str = Field(description="The actor of what they do.")
    role: Role
    origin: str = Field(description="How they proved who they are: link or oidc.")
    created_at: str
    last_used_at: str = Field(description="Written at most once a minute.")
    expires_at: str = Field(description="At the latest; sooner when it is not used.")


class SignedInPage(BaseModel):
    """Everybody who is signed in, oldest session first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [example_of(SignedInView)]}})

    items: list[SignedInView]


class EndedView(BaseModel):
    """How much was ended; both 0: nobody of this name was signed in or invited."""

    model_config = ConfigDict(json_schema_extra={"example": {"sessions": 2, "links": 1}})

    sessions: int
    links: int = Field(description="Sign-in links that nobody had used yet.")


@router.get("/keys", operation_id="list_keys", response_model=KeyPage)
async def list_keys(request: Request, who: Manager) -> KeyPage:
    """List API keys, oldest first."""
    del who
    access = gate_of(request).access
    now = access.now()
    return KeyPage(items=[_view(key, now) for key in await access.list_keys()])


@issuing.post("/keys", operation_id="create_key", status_code=201, response_model=IssuedKeyView)
async def create_key(request: Request, new: NewKey, who: Manager) -> IssuedKeyView:
    """Make an API key; nobody gives more than they may do themselves."""
    note_audited(request)
    gate = gate_of(request)
    issued = await gate.access.create(
        new.name, new.role, scopes=frozenset(new.scopes), expires_at=new.expires_at,
        caller=gate.caller(request, who),
    )  # fmt: skip
    note_issued(request, issued.key.id, hint=_NEW_KEY.format(issued.key.id))
    return _issued(issued, gate.access.now())


@router.delete("/keys/{key}", operation_id="revoke_key", response_model=KeyView)
async def revoke_key(request: Request, key: KeyName, who: Manager) -> KeyView:
    """Make a key stop working at once; again, it changes nothing."""
    note_audited(request)
    gate = gate_of(request)
    ended = await gate.access.revoke(key, caller=gate.caller(request, who))
    return _view(ended, gate.access.now())


@issuing.post(
    "/keys/{key}/rotate", operation_id="rotate_key", status_code=201, response_model=IssuedKeyView
)
async def rotate_key(request: Request, key: KeyName, how: Rotation, who: Manager) -> IssuedKeyView:
    """Give a key a successor with the same name, role and scopes."""
    note_audited(request)
    gate = gate_of(request)
    issued = await gate.access.rotate(
        key, overlap=timedelta(seconds=how.overlap_seconds), expires_at=how.expires_at,
        caller=gate.caller(request, who),
    )  # fmt: skip
    note_issued(request, issued.key.id, hint=_NEW_KEY.format(issued.key.id))
    return _issued(issued, gate.access.now())


@issuing.post(
    "/sign-in-links", operation_id="create_link", status_code=201, response_model=LinkView
)
async def create_link(request: Request, new: NewLink, who: Manager) -> LinkView:
    """Make a link that signs a person in, once and for a few minutes."""
    note_audited(request)
    gate = gate_of(request)
    link = await gate.sign_in.link(new.name, new.role, caller=gate.caller(request, who))
    note_issued(request, "", hint=_NEW_LINK)
    base = gate.public_url or str(request.base_url).rstrip("/")
    return LinkView(
        name=new.name, role=new.role, url=f"{base}/sign-in?token={link.text}",
        expires_at=to_rfc3339(link.expires_at),
    )  # fmt: skip


@router.get("/sessions", operation_id="list_sessions", response_model=SignedInPage)
async def list_sessions(request: Request, who: Manager) -> SignedInPage:
    """List who is signed in with a browser, oldest session first; what is over is left out."""
    del who
    found = await gate_of(request).sign_in.list_sessions()
    return SignedInPage(items=[SignedInView(**session.shown().to_dict()) for session in found])


@router.post("/people/{name}/sign-out", operation_id="sign_out_person", response_model=EndedView)
async def sign_out_person(
    request: Request,
    name: Annotated[str, Path(min_length=1, max_length=200, description="Who is signed out.")],
    who: Manager,
) -> EndedView:
    """End all sessions of a person, and the sign-in links for them that nobody used yet."""
    note_audited(request)
    gate = gate_of(request)
    ended = await gate.sign_in.sign_out_person(name, caller=gate.caller(request, who))
    return EndedView(sessions=ended.sessions, links=ended.links)


def _fields(key: ApiKey, now: datetime) -> dict[str, Any]:
    return key.to_dict(now)


def _view(key: ApiKey, now: datetime) -> KeyView:
    return KeyView(**_fields(key, now))


def _issued(issued: IssuedKey, now: datetime) -> IssuedKeyView:
    return IssuedKeyView(**_fields(issued.key, now), key=issued.text)

"""Signing people in: a link that works once, or a provider elsewhere; then a session."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jules_job_manager.domain.access import (
    ID_BYTES,
    SECRET_BYTES,
    EndedSignIns,
    Principal,
    PrincipalKind,
    Role,
    SignInToken,
    WebSession,
    csrf_token,
    is_same,
    parts_of,
    secret_text,
)
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import AccessDeniedError, SignInRequiredError
from jules_job_manager.ports.access_store import AccessStore
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.identity_provider import Identity, IdentityProvider
from jules_job_manager.services.access import checked_name, is_reserved, require_may_give

LINK = "link"
OIDC = "oidc"
PROVIDER_TIME = timedelta(minutes=10)
"""How long a person may take at the provider."""
_SEEN_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInRules:
    """How long things last."""

    link: timedelta = timedelta(minutes=10)
    session: timedelta = timedelta(days=7)
    idle: timedelta = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedLink:
    """A link's secret part, shown once."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSession:
    """A session with what the browser keeps."""

    text: str
    session: WebSession

    @property
    def csrf(self) -> str:
        """What the page sends with every change."""
        return csrf_token(self.text)


@dataclass(frozen=True, kw_only=True, slots=True)
class BegunSignIn:
    """Where to send the person, and what their browser must bring back."""

    url: str
    browser_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleRules:
    """Which people from a provider get which role: e-mail addresses, `@domain`, or values of a claim."""

    claim: str = ""
    admins: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()

    def role_of(self, identity: Identity) -> Role | None:
        """Return the highest role that fits, or None: they may not come in."""
        names = set(self._claimed(identity))
        if identity.email and identity.is_email_verified:
            email = identity.email.casefold()
            names |= {email, email[email.rfind("@") :]}
        for role, wanted in (
            (Role.ADMIN, self.admins), (Role.OPERATOR, self.operators), (Role.VIEWER, self.viewers),
        ):  # fmt: skip
            if any((item.casefold() if "@" in item else item) in names for item in wanted):
                return role
        return None

    def _claimed(self, identity: Identity) -> list[str]:
        value = identity.claims.get(self.claim) if self.claim else None
        values = value if isinstance(value, list) else [value]
        # An address in a claim that anybody may fill in must not pass for a verified one.
        return [item for item in values if isinstance(item, str) and item and "@" not in item]


class SignInService:
    """Links, sessions, and signing in with a provider."""

    def __init__(
        self,
        *,
        store: AccessStore,
        clock: Clock,
        rules: SignInRules,
        roles: RoleRules | None = None,
        provider: IdentityProvider | None = None,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Bind the store.

        Args:
            store: Keeps links and sessions.
            clock: Tells the time.
            rules: How long things last.
            roles: Who of the provider's people gets which role.
            provider: Where people prove who they are; None: only by links.
            random_bytes: Returns that many bytes that nobody can guess.
        """
        self._store = store.sign_ins
        self._clock = clock
        self._rules = rules
        self._roles = roles or RoleRules()
        self._provider = provider
        self._random_bytes = random_bytes

    async def aclose(self) -> None:
        """Let go of the connections to the provider."""
        if self._provider is not None:
            await self._provider.aclose()

    @property
    def has_provider(self) -> bool:
        """Whether people can sign in with a provider."""
        return self._provider is not None

    async def link(self, name: str, role: Role, *, caller: Caller) -> IssuedLink:
        """Make the secret part of a link that signs a person in, once.

        Raises:
            InvalidInputError: the name cannot be used.
            AccessDeniedError: the caller may not give this role.
        """
        name = checked_name(name)
        person = Principal(name=name, kind=PrincipalKind.PERSON, role=role)
        require_may_give(caller, person)
        text, digest = self._secret()
        now = self._clock.now()
        ends = now + self._rules.link
        data = {"name": name, "role": role.value}
        said = caller.did(
            "sign_in.link", at=now, resource=f"person:{name}", after={"role": role.value}
        )
        token = SignInToken(digest=digest, kind=LINK, expires_at=ends, data=data)
        await self._store.add_token(token, audit=[said])
        return IssuedLink(text=text, expires_at=ends)

    async def look_at_link(self, text: str) -> Principal | None:
        """Return who a link would sign in, without using it up; None: it does not work any more."""
        parts = parts_of(text)
        if parts is None:
            return None
        token = await self._store.look_at_token(parts[1], LINK, self._clock.now())
        return None if token is None else _person(token.data["name"], Role(token.data["role"]))

    async def redeem(self, text: str, *, request_id: str = "", address: str = "") -> OpenSession:
        """Sign a person in with a link, which stops working.

        Raises:
            SignInRequiredError: it is none, or it expired or was used.
        """
        parts = parts_of(text)
        token = None
        if parts is not None:
            token = await self._store.look_at_token(parts[1], LINK, self._clock.now())
        opened = None
        if token is not None:
            person = _person(token.data["name"], Role(token.data["role"]))
            caller = Caller(principal=person, request_id=request_id, address=address)
            opened = await self._open(caller, LINK, redeems=token)
        if opened is None:
            raise SignInRequiredError(
                "The sign-in link does not work any more.",
                hint="A link works once and for a few minutes; get another with: jjm key link",
                context={"given": "link"},
            )
        return opened

    async def authenticate(self, text: str) -> WebSession:
        """Return the session of a browser.

        Raises:
            SignInRequiredError: it is none, or it is over.
        """
        parts = parts_of(text)
        session = None if parts is None else await self._store.get_session(parts[1])
        now = self._clock.now()
        if session is None or not session.is_live(now, self._rules.idle):
            raise SignInRequiredError(
                "You are not signed in any more.",
                hint="Sign in again, with a link from: jjm key link",
                context={"given": "session"},
            )
        if now - session.seen_at >= _SEEN_NOTED_EVERY:
            await self._store.note_seen(session.digest, now)
        return session

    async def list_sessions(self) -> Sequence[WebSession]:
        """Return the sessions that still count, oldest first."""
        now = self._clock.now()
        return [s for s in await self._store.list_sessions() if s.is_live(now, self._rules.idle)]

    async def sign_out(self, text: str, *, caller: Caller) -> None:
        """End one session; nothing happens when it is over."""
        parts = parts_of(text)
        if parts is not None:
            said = caller.did(
                "sign_in.end", at=self._clock.now(), resource=f"person:{caller.principal.name}"
            )
            await self._store.end_session(parts[1], audit=[said])

    async def sign_out_person(self, name: str, *, caller: Caller) -> EndedSignIns:
        """End all sessions of a person, and the links for them that nobody used yet."""
        now = self._clock.now()
        said = caller.did("sign_in.end", at=now, resource=f"person:{name}")
        return await self._store.end_person(name, now=now, audit=[said])

    async def sweep(self) -> int:
        """Forget what expired; return how much that was."""
        return await self._store.sweep(self._clock.now())

    async def begin(self, redirect_uri: str) -> BegunSignIn:
        """Send a person to the provider.

        Args:
            redirect_uri: Where the provider sends them back to.

        Raises:
            AccessDeniedError: no provider is configured.
            SignInRequiredError: the provider cannot be used.
        """
        provider = self._require_provider()
        state, digest = self._secret()
        nonce, verifier, browser = self._secret()[0], self._secret()[0], self._secret()[0]
        url = await provider.start(
            redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier
        )
        data = {
            "nonce": nonce,
            "verifier": verifier,
            "browser": browser,
            "redirect_uri": redirect_uri,
        }
        ends = self._clock.now() + PROVIDER_TIME
        await self._store.add_token(
            SignInToken(digest=digest, kind=OIDC, expires_at=ends, data=data)
        )
        return BegunSignIn(url=url, browser_text=browser)

    async def finish(
        self, *, state: str, code: str, browser_text: str, request_id: str = "", address: str = ""
    ) -> OpenSession:
        """Sign a person in who comes back from the provider.

        Args:
            state: What the provider was given, and gives back.
            code: What the provider gives for it.
            browser_text: What `begin` gave to the browser: nobody can finish another's sign-in.
            request_id: Of the request.
            address: Where it came from.

        Raises:
            SignInRequiredError: state or browser are not those that began, or the provider's answer is not
                good.
            AccessDeniedError: the person has no role here.
        """
        provider = self._require_provider()
        parts = parts_of(state)
        token = None
        if parts is not None:
            token = await self._store.take_token(parts[1], OIDC, self._clock.now())
        if token is None or not is_same(token.data["browser"], browser_text):
            raise SignInRequiredError(
                "This sign-in was not begun here, or too long ago.", hint="Begin again.",
                context={"given": "oidc"},
            )  # fmt: skip
        identity = await provider.finish(
            code=code, redirect_uri=token.data["redirect_uri"], nonce=token.data["nonce"],
            verifier=token.data["verifier"],
        )  # fmt: skip
        role = self._roles.role_of(identity)
        if role is None:
            raise AccessDeniedError(
                "You are known to the provider, but have no role here.",
                hint="An admin adds you to access.oidc_viewers, oidc_operators or oidc_admins.",
                context={"given": "oidc", "name": _shown_name(identity)},
            )
        person = _person(_shown_name(identity), role)
        opened = await self._open(
            Caller(principal=person, request_id=request_id, address=address), OIDC
        )
        assert opened is not None
        return opened

    def _require_provider(self) -> IdentityProvider:
        if self._provider is None:
            raise AccessDeniedError(
                "Nobody can sign in with a provider here.",
                hint="Set access.oidc_issuer, or get a link with: jjm key link",
            )
        return self._provider

    async def _open(
        self, caller: Caller, origin: str, *, redeems: SignInToken | None = None
    ) -> OpenSession | None:
        """Begin a session; None: what it redeems was used or ended meanwhile."""
        text, digest = self._secret()
        now = self._clock.now()
        person = caller.principal
        session = WebSession(
            digest=digest, name=person.name, role=person.role, origin=origin, created_at=now, seen_at=now,
            expires_at=now + self._rules.session,
        )  # fmt: skip
        said = caller.did(
            "sign_in.begin", at=now, resource=f"person:{person.name}",
            after={"role": person.role.value, "origin": origin},
        )  # fmt: skip
        is_kept = await self._store.add_session(session, redeems=redeems, audit=[said])
        return OpenSession(text=text, session=session) if is_kept else None

    def _secret(self) -> tuple[str, str]:
        text = secret_text(self._random_bytes(ID_BYTES + SECRET_BYTES))
        parts = parts_of(text)
        assert parts is not None
        return text, parts[1]


def _person(name: str, role: Role) -> Principal:
    return Principal(name=name, kind=PrincipalKind.PERSON, role=role)


def _shown_name(identity: Identity) -> str:
    """Return the verified address, or a name that nobody can choose to be another's."""
    name = f"{identity.issuer}#{identity.subject}"
    if identity.email and identity.is_email_verified:
        name = identity.email.casefold()
    return (f"oidc:{name}" if is_reserved(name) else name)[:200]

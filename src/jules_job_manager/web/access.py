"""Who may use a route. A route states what it needs; one that states nothing fails a test.

    @router.get("/tasks")
    async def list_tasks(who: Annotated[Principal, Depends(needs(Permission.TASKS_READ))]): …

    @router.get("/health/live", dependencies=[Depends(public)])

The application holds a `Gate` in `app.state.gate`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.requests import HTTPConnection
from starlette.routing import compile_path

from jules_job_manager.domain.access import (
    Permission,
    Principal,
    PrincipalKind,
    Role,
    csrf_token,
    is_same,
)
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import AccessDeniedError, RateLimitedError, SignInRequiredError
from jules_job_manager.services.access import AccessService
from jules_job_manager.services.audit import AuditService
from jules_job_manager.services.sign_in import SignInService
from jules_job_manager.web.addresses import (
    Network,
    client_address,
    is_plain_loopback,
    limited_by,
)
from jules_job_manager.web.rate_limits import RateLimits, Standing, note_standing
from jules_job_manager.web.route_names import operation_of, resource_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE = "__Host-jjm_session"
PLAIN_SESSION_COOKIE = "jjm_session"
CSRF_HEADER = "X-CSRF-Token"
_PRINCIPAL = "jjm_principal"
_NOBODY = Principal(name="anonymous", kind=PrincipalKind.PERSON, role=Role.VIEWER)


class Gate:
    """Finds out who sends a request, and whether they may. There is one for a process."""

    def __init__(
        self,
        *,
        access: AccessService,
        sign_in: SignInService,
        audit: AuditService | None = None,
        limits: RateLimits | None = None,
        trusted_proxies: Sequence[Network] = (),
        public_url: str = "",
    ) -> None:
        """Bind the services.

        Args:
            access: Knows API keys.
            sign_in: Knows people's sessions.
            audit: Where refused sign-ins are written; None: nowhere.
            limits: Counts requests; None: nobody counts.
            trusted_proxies: Whose X-Forwarded-For is believed.
            public_url: The server as browsers see it; empty: as each request has it.
        """
        self.access = access
        self.sign_in = sign_in
        self.audit = audit
        self.limits = limits
        self.public_url = public_url.rstrip("/")
        self._trusted = trusted_proxies
        endpoints = limits.rules.endpoints if limits is not None else {}
        self._endpoints = [
            (method, compile_path(path)[0], f"{method} {path}", amount)
            for (method, path), amount in endpoints.items()
        ]

    async def aclose(self) -> None:
        """Let go of the connections to Redis and to the provider."""
        if self.limits is not None:
            await self.limits.aclose()
        await self.sign_in.aclose()

    async def principal(self, connection: HTTPConnection) -> Principal:
        """Return who sends the request; asked again for the same request, nothing is done twice.

        Raises:
            SignInRequiredError: no key or session came with it, or none that is valid.
            AccessDeniedError: a change came with a cookie and without the page's token.
            RateLimitedError: it is one request too many.
        """
        known = known_principal(connection)
        if known is not None:
            return known
        try:
            found, session = await self._recognised(connection)
        except SignInRequiredError as error:
            await self.count_failure(connection, error)
            raise
        try:
            _require_own_page(connection, session)
        except AccessDeniedError:
            await self._count(connection, found)
            await self._note_foreign_page(connection, found)
            raise
        connection.scope.setdefault("state", {})[_PRINCIPAL] = found
        await self._count(connection, found)
        return found

    async def require(self, connection: HTTPConnection, permission: Permission) -> Principal:
        """Return who sends the request when they may do this.

        Raises:
            SignInRequiredError, AccessDeniedError, RateLimitedError: as `principal`; or they may not.
        """
        who = await self.principal(connection)
        if not who.may(permission):
            raise AccessDeniedError(
                f"{who.name} may not do this: it needs {permission}.",
                hint="Use a key with a higher role, or without a scope that leaves this out.",
                context={"permission": permission.value, "role": who.role.value},
            )
        return who

    async def recheck(self, connection: HTTPConnection, permission: Permission) -> None:
        """Look again who sent a request that lasts long; nothing is counted.

        Raises:
            SignInRequiredError: the key or session is over by now.
            AccessDeniedError: they may not do this any more.
        """
        found, session = await self._recognised(connection)
        _require_own_page(connection, session)
        if not found.may(permission):
            raise AccessDeniedError("This is not allowed to you any more.")

    async def count_anonymous(self, connection: HTTPConnection) -> None:
        """Count a request to a page that is for everybody.

        Raises:
            RateLimitedError: it is one too many of this address.
        """
        if self.limits is not None:
            amount = self.limits.rules.anonymous_per_minute
            await self._hit(connection, "anonymous", amount, self._counted_address(connection))

    async def count_failure(
        self, connection: HTTPConnection, error: SignInRequiredError | AccessDeniedError
    ) -> None:
        """Count and write down that somebody was not let in; those without any proof are not written.

        The error's context says what they came with (`given`), and who they are, if that is known (`name`).

        Raises:
            RateLimitedError: this address tried too often. What is valid works nevertheless: keys
                cannot be guessed, so a limit need not shut out others behind the same address.
        """
        given = str(error.context.get("given", ""))
        # A page whose session ran out goes on asking, and must hear why; that is no attempt at a key.
        given = "" if given == "session" else given
        if self.limits is not None:
            amount = self.limits.rules.failed_sign_ins_per_minute if given else None
            rule = (
                ("sign-in", amount)
                if amount
                else ("anonymous", self.limits.rules.anonymous_per_minute)
            )
            await self._hit(connection, *rule, self._counted_address(connection))
        if given and self.audit is not None:
            name = str(error.context.get("name", ""))
            await self.audit.record(
                self.caller(connection, _NOBODY), "sign_in.begin", result="refused",
                resource=f"person:{name}" if name else "", after={"with": given},
            )  # fmt: skip

    async def _note_foreign_page(self, connection: HTTPConnection, who: Principal) -> None:
        """Write down what a page that is not ours made somebody's browser send."""
        if self.audit is not None:
            await self.audit.record(
                self.caller(connection, who), operation_of(connection), result="refused",
                resource=resource_of(connection), after={"status": 403, "reason": "csrf"},
            )  # fmt: skip

    def caller(self, connection: HTTPConnection, principal: Principal) -> Caller:
        """Return the principal with where the request came from, for services and the audit log."""
        request_id = str(connection.scope.get("state", {}).get("request_id", ""))
        return Caller(principal=principal, request_id=request_id, address=self.address(connection))

    def address(self, connection: HTTPConnection) -> str:
        """Return where the request came from."""
        return client_address(connection, self._trusted)

    async def _recognised(self, connection: HTTPConnection) -> tuple[Principal, str | None]:
        """Return who it is, and the text of their session; None: they came with a key."""
        key = _key_of(connection)
        if key is not None:
            return await self.access.authenticate(key), None
        session = session_text(connection)
        if session is None:
            raise SignInRequiredError(
                hint="Send a key as Authorization: Bearer KEY, or sign in at /sign-in.",
            )
        return (await self.sign_in.authenticate(session)).principal(), session

    async def _count(self, connection: HTTPConnection, who: Principal) -> None:
        limits = self.limits
        if limits is None or (limits.rules.exempt_admins and who.role is Role.ADMIN):
            return
        identity = f"{who.kind}:{who.key_id or who.name}"
        await self._hit(connection, "default", limits.rules.per_minute, identity)
        method, path = connection.scope.get("method", "WEBSOCKET"), connection.scope["path"]
        for own_method, pattern, name, amount in self._endpoints:
            if own_method == method and pattern.match(path):
                await self._hit(connection, name, amount, identity)

    async def _hit(self, connection: HTTPConnection, policy: str, amount: int, who: str) -> None:
        assert self.limits is not None
        try:
            standing = await self.limits.hit(policy, amount, who)
        except RateLimitedError as error:
            standing = error.context.pop("standing")
            note_standing(connection.scope, standing)
            raise
        assert isinstance(standing, Standing)
        note_standing(connection.scope, standing)

    def _counted_address(self, connection: HTTPConnection) -> str:
        return f"address:{limited_by(self.address(connection))}"


class Rule(ABC):
    """What a route that needs a permission depends on."""

    def __init__(self, permission: Permission) -> None:
        """Need `permission`."""
        self.permission = permission

    @abstractmethod
    async def __call__(self, connection: HTTPConnection) -> object:
        """Return what the route is given, to those who may.

        Raises:
            SignInRequiredError, AccessDeniedError, RateLimitedError: as `Gate.require`.
        """
        ...


class Needs(Rule):
    """The dependency of a route that needs a permission; it yields the principal."""

    async def __call__(self, connection: HTTPConnection) -> Principal:
        """Return who may.

        Raises:
            SignInRequiredError, AccessDeniedError, RateLimitedError: as `Gate.require`.
        """
        return await gate_of(connection).require(connection, self.permission)


def needs(permission: Permission) -> Needs:
    """Return the dependency of a route that needs `permission`: `Depends(needs(…))`."""
    return Needs(permission)


async def public(connection: HTTPConnection) -> None:
    """Be the dependency of a route that is for everybody: `Depends(public)`.

    Raises:
        RateLimitedError: too many requests came from this address.
    """
    await gate_of(connection).count_anonymous(connection)


async def public_uncounted(connection: HTTPConnection) -> None:
    """Be the dependency of a route for everybody that is asked every few seconds by machines.

    Nothing is counted, so such a route must answer from memory: no database, no file, no call.
    """
    del connection


async def public_by_name(connection: HTTPConnection) -> None:
    """Be the dependency of a route for everybody that itself looks who asks, and counts that.

    `Gate.require` counts the request as theirs; counted here, it would count twice.
    """
    del connection


async def signed_in(connection: HTTPConnection) -> Principal:
    """Be the dependency of a route for everybody who is known, whatever they may do."""
    return await gate_of(connection).principal(connection)


_OPEN: dict[Callable[[HTTPConnection], Awaitable[object]], str] = {
    public: "public",
    public_by_name: "public",
    public_uncounted: "public, uncounted",
    signed_in: "signed in",
}
"""Dependencies of routes that need no permission, and what `rules_of` calls them."""


def known_principal(connection: HTTPConnection) -> Principal | None:
    """Return who was found to send this request, or None when nobody looked, or found none."""
    found = connection.scope.get("state", {}).get(_PRINCIPAL)
    return found if isinstance(found, Principal) else None


def gate_of(connection: HTTPConnection) -> Gate:
    """Return the gate of the application."""
    found = connection.app.state.gate
    assert isinstance(found, Gate)
    return found


def rules_of(app: FastAPI) -> dict[tuple[str, str], str | None]:
    """Return for each method and path what it needs: a permission, a word of `_OPEN`, or None.

    WebSocket routes have the method `WEBSOCKET`, and mounted applications `MOUNT`, which nothing here
    can look into.
    """
    found: dict[tuple[str, str], str | None] = {}
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        rule = _word_of(dependant) if isinstance(dependant, Dependant) else None
        methods = context.methods
        if methods is None:
            methods = {
                "WEBSOCKET" if "WebSocket" in type(context.original_route).__name__ else "MOUNT"
            }
        for method in methods:
            found[method, context.path or ""] = rule
    return found


def cookie_name(connection: HTTPConnection) -> str:
    """Return what the session's cookie is called.

    Browsers refuse `__Host-` without `Secure`, and some refuse `Secure` on http even to themselves.
    """
    return PLAIN_SESSION_COOKIE if is_plain_loopback(connection) else SESSION_COOKIE


def session_text(connection: HTTPConnection) -> str | None:
    """Return what the browser keeps of its session, or None."""
    return connection.cookies.get(cookie_name(connection)) or None


def _key_of(connection: HTTPConnection) -> str | None:
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return connection.headers.get("x-api-key") or None


def _require_own_page(connection: HTTPConnection, session: str | None) -> None:
    """Refuse what another site's page made the browser send along with its cookie, if it has one.

    Raises:
        AccessDeniedError: so it is, or may be.
    """
    if session is None:
        return
    if connection.scope["type"] == "websocket":
        # Browsers let every site connect, and send no header of ours. Source: OWASP WebSocket
        # Security cheat sheet, read 2026-11.
        origin = connection.headers.get("origin", "")
        host = connection.headers.get("host", "")
        if origin.partition("://")[2] == host and host:
            return
        raise AccessDeniedError("The connection comes from another site's page.")
    if connection.scope["method"] in SAFE_METHODS:
        return
    if not is_same(connection.headers.get(CSRF_HEADER, ""), csrf_token(session)):
        raise AccessDeniedError(
            f"The header {CSRF_HEADER} is missing or wrong.",
            hint="Read the token at GET /sign-in/session, or use an API key.",
        )


def permission_of(dependant: Dependant) -> Permission | None:
    """Return the permission that a route's dependencies ask for, or None."""
    for one in all_of(dependant):
        if isinstance(one.call, Rule):
            return one.call.permission
    return None


def rule_of(dependant: Dependant) -> Callable[[HTTPConnection], Awaitable[object]] | None:
    """Return what a route depends on that says who may: a `Rule`, or one of those without a permission."""
    for one in all_of(dependant):
        call = one.call
        if isinstance(call, Rule):
            return call
        for known in _OPEN:
            if call is known:
                return known
    return None


def _word_of(dependant: Dependant) -> str | None:
    rule = rule_of(dependant)
    if isinstance(rule, Rule):
        return rule.permission.value
    return None if rule is None else _OPEN[rule]


def all_of(dependant: Dependant) -> Iterator[Dependant]:
    """Yield what a route depends on, and what that depends on."""
    for one in dependant.dependencies:
        yield one
        yield from all_of(one)

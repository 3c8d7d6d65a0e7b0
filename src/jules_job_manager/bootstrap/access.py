"""Builds who may come in, the record of what they do, and the gate of the web interface."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import TYPE_CHECKING

from jules_job_manager.domain.access import Principal, PrincipalKind, Role
from jules_job_manager.domain.audit import Caller
from jules_job_manager.services.access import SYSTEM, AccessService
from jules_job_manager.services.audit import AuditService
from jules_job_manager.services.sign_in import RoleRules, SignInRules, SignInService

if TYPE_CHECKING:
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.identity_provider import IdentityProvider
    from jules_job_manager.ports.store import Store
    from jules_job_manager.settings.model import Settings


def access_of(store: Store, clock: Clock) -> AccessService:
    """Return what is done with API keys.

    Raises:
        UnsupportedOperationError: the store keeps none.
    """
    return AccessService(store=store.access, clock=clock)


def sign_in_of(
    store: Store, settings: Settings, clock: Clock, *, with_provider: bool = False
) -> SignInService:
    """Return what signs people in; `with_provider` where they may come from the configured provider.

    Raises:
        UnsupportedOperationError: the store keeps no sessions.
        ConfigurationError, MissingExtraError: the provider cannot be used.
    """
    chosen = settings.access
    return SignInService(
        store=store.access, clock=clock,
        rules=SignInRules(
            link=timedelta(minutes=chosen.link_minutes), session=timedelta(hours=chosen.session_hours),
            idle=timedelta(hours=chosen.session_idle_hours),
        ),
        roles=RoleRules(
            claim=chosen.oidc_role_claim, admins=chosen.oidc_admins, operators=chosen.oidc_operators,
            viewers=chosen.oidc_viewers,
        ),
        provider=_provider(settings, clock) if with_provider else None,
    )  # fmt: skip


def audit_of(store: Store, settings: Settings, clock: Clock) -> AuditService:
    """Return what is done with the audit log.

    Raises:
        UnsupportedOperationError: the store keeps none.
    """
    days = settings.access.audit_retention_days
    return AuditService(
        log=store.audit, clock=clock, retention=timedelta(days=days) if days else None
    )


async def tidy(store: Store, settings: Settings, clock: Clock) -> dict[str, int]:
    """Forget what expired, and remove old entries of the audit log; return how much. Once an hour will do.

    Raises:
        StoreUnavailableError: the database is away.
        DamagedStoreError: the audit log was changed; nothing was removed from it.
    """
    found = {
        "sign_ins": await sign_in_of(store, settings, clock).sweep(),
        "answers": await store.idempotency.sweep(),
        "audit_entries": 0,
    }
    anchor = await audit_of(store, settings, clock).prune(Caller(principal=SYSTEM))
    if anchor is not None:
        found["audit_entries"] = anchor.removed_through or 0
    return found


def local_caller() -> Caller:
    """Return the user of this machine, who may do everything: the store is theirs anyway."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers sometimes give
        name = "local"
    return Caller(principal=Principal(name=name, kind=PrincipalKind.LOCAL, role=Role.ADMIN))


def public_url(settings: Settings) -> str:
    """Return the address of the server as browsers see it, without a slash at its end."""
    server = settings.server
    if server.public_url:
        return server.public_url.rstrip("/")
    scheme = "https" if server.tls_certificate else "http"
    return f"{scheme}://127.0.0.1:{server.port}"


def _provider(settings: Settings, clock: Clock) -> IdentityProvider | None:
    chosen = settings.access
    if not chosen.oidc_issuer:
        return None
    from jules_job_manager.adapters.sign_in.oidc import open_provider

    return open_provider(
        issuer=chosen.oidc_issuer, client_id=chosen.oidc_client_id, clock=clock,
        client_secret=chosen.oidc_client_secret, scopes=chosen.oidc_scopes,
    )  # fmt: skip

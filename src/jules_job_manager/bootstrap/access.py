"""Builds who may come in, the record of what they do, and the gate of the web interface."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jules_job_manager.domain.access import Principal, PrincipalKind, Role
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.services.access import FIRST_KEY_NAME, SYSTEM, AccessService
from jules_job_manager.services.audit import AuditService
from jules_job_manager.services.sign_in import RoleRules, SignInRules, SignInService

if TYPE_CHECKING:
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.identity_provider import IdentityProvider
    from jules_job_manager.ports.store import Store
    from jules_job_manager.settings.model import Settings


def access_of(store: Store, clock: Clock, *, remember_seconds: float = 0.0) -> AccessService:
    """Return what is done with API keys; `remember_seconds` as in `AccessService`.

    Raises:
        UnsupportedOperationError: the store keeps none.
    """
    return AccessService(store=store.access, clock=clock, remember_seconds=remember_seconds)


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


async def save_first_admin(store: Store, clock: Clock, home: Path) -> Path | None:
    """Make the first admin's key and put it into a file that only its owner can read.

    A file, since what a service prints is kept in logs that others read.

    Args:
        store: Keeps the keys.
        clock: Tells the time.
        home: The folder of the file.

    Returns:
        The file, or None when there ever was an admin's key.

    Raises:
        ConfigurationError: the file cannot be written. No key is made then.
    """
    access = access_of(store, clock)
    if any(key.role is Role.ADMIN for key in await access.list_keys()):
        return None
    path = home / f"{FIRST_KEY_NAME}.{secrets.token_hex(4)}.key"
    try:
        number = await asyncio.to_thread(os.open, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise ConfigurationError(
            f"The first admin's key cannot be written to {path}: {exc.strerror}.",
            hint="Make one with: jjm key create NAME --role admin",
        ) from exc
    with os.fdopen(number, "w", encoding="ascii") as file:
        issued = await access.first_admin()
        if issued is not None:
            file.write(f"{issued.text}\n")
            return path
    path.unlink()  # another start was quicker
    return None


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
    return Caller(
        principal=Principal(name=f"cli:{_user()}", kind=PrincipalKind.LOCAL, role=Role.ADMIN)
    )


def _user() -> str:
    """Return who the system says runs this; variables such as USER are not asked where it can tell."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except ImportError:  # Windows
        import getpass

        with contextlib.suppress(KeyError, OSError):
            return getpass.getuser()
    except KeyError:  # a user without a name, as containers sometimes give
        return str(os.geteuid())
    return "local"


def public_url(settings: Settings) -> str:
    """Return the address of the server as browsers see it, without a slash at its end.

    Raises:
        ConfigurationError: `server.public_url` is no address that links can begin with.
    """
    server = settings.server
    if server.public_url:
        return _checked_base(server.public_url)
    scheme = "https" if server.tls_certificate else "http"
    return f"{scheme}://127.0.0.1:{server.port}"


def _checked_base(address: str) -> str:
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or "@" in parts.netloc or "?" in address or "#" in address:
        raise ConfigurationError(
            "server.public_url is no address that links can begin with.",
            hint="Write it as https://HOST or https://HOST:PORT/PATH, without user, query or fragment.",
        )
    return address.rstrip("/")


def _provider(settings: Settings, clock: Clock) -> IdentityProvider | None:
    chosen = settings.access
    if not chosen.oidc_issuer:
        return None
    from jules_job_manager.adapters.sign_in.oidc import open_provider

    return open_provider(
        issuer=chosen.oidc_issuer, client_id=chosen.oidc_client_id, clock=clock,
        client_secret=chosen.oidc_client_secret, scopes=chosen.oidc_scopes,
    )  # fmt: skip

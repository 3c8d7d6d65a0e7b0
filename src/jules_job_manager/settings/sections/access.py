"""Who may use the service, and how much."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Who may use the server: keys, signing in, and the record of what was done."""

    session_hours: float = setting(
        168.0, "A person signs in again after so long, in any case.", minimum=0.01
    )
    session_idle_hours: float = setting(
        12.0, "… and after so long without a request.", minimum=0.01
    )
    link_minutes: float = setting(10.0, "How long a sign-in link works.", minimum=0.1)
    key_memory_seconds: float = setting(
        1.0, "Each server process looks a key up again after so long, so that one revoked elsewhere stops "
        "working; 0: with every request.", minimum=0,
    )  # fmt: skip
    audit_retention_days: float = setting(
        365.0, "Entries of the audit log are removed after so long; 0: never.", minimum=0
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), "Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed."
    )
    idempotency_hours: float = setting(
        24.0, "How long the answer to a request with an Idempotency-Key is kept.", minimum=0.01
    )
    idempotency_lease_seconds: float = setting(
        30.0, "So long after a server died over such a request, another may take it up.", minimum=1
    )
    oidc_issuer: str = setting(
        "", "OpenID Connect provider people sign in with; empty: none. Needs the extra `oidc`."
    )
    oidc_client_id: str = setting("", "This server's client id at the provider.")
    oidc_client_secret: str = setting(
        "", "Its secret; empty for a public client.", env="JJM_OIDC_CLIENT_SECRET", secret=True
    )
    oidc_scopes: tuple[str, ...] = setting(
        ("openid", "email", "profile"), "Scopes asked of the provider."
    )
    oidc_role_claim: str = setting(
        "", "Claim of the ID token whose values the three lists below may name, for example groups."
    )
    oidc_admins: tuple[str, ...] = setting(
        (), "Who is an admin: verified e-mail addresses, @domain, or values of the role claim."
    )
    oidc_operators: tuple[str, ...] = setting((), "Who is an operator, likewise.")
    oidc_viewers: tuple[str, ...] = setting((), "Who is a viewer, likewise; others are refused.")


@dataclass(frozen=True, kw_only=True)
class RateLimitSettings:
    """How many requests the server takes, counted over the last minute."""

    enabled: bool = setting(default=True, doc="Limit requests at all.")
    storage: str = setting(
        "", "Where requests are counted: an address of Redis as in redis.url, so that all server processes "
        "count together; memory: each for itself; empty: in redis.url, or in memory without one.",
        secret=True,
    )  # fmt: skip
    per_minute: int = setting(100, "Of one key or person.", minimum=1)
    anonymous_per_minute: int = setting(60, "Of one address, to pages that need no key.", minimum=1)
    failed_sign_ins_per_minute: int = setting(
        10, "Of one address, with a key, link or session that is not valid.", minimum=1
    )
    endpoints: tuple[str, ...] = setting(
        (), "Own limits of single endpoints, as METHOD PATH=PER_MINUTE: POST /api/v1/tasks=20."
    )
    exempt_admins: bool = setting(default=True, doc="Let admins send as much as they like.")

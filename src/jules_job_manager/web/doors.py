"""Puts everything about access into a FastAPI application, from the settings."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.routing import compile_path

from jules_job_manager.bootstrap.access import access_of, audit_of, public_url, sign_in_of
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.web.access import Gate, rules_of
from jules_job_manager.web.addresses import networks_from
from jules_job_manager.web.auditing import AuditRequests
from jules_job_manager.web.idempotency import Idempotency
from jules_job_manager.web.rate_limits import (
    IN_MEMORY,
    AccessHeaders,
    LimitRules,
    RateLimits,
    endpoint_limits,
)
from jules_job_manager.web.routes import sign_in

_SECTIONS = ("access", "rate_limits", "redis")
"""What a gate is made of, of what may change while the service runs."""

if TYPE_CHECKING:
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.store import Store
    from jules_job_manager.settings.model import Settings


def install(web: FastAPI, *, store: Store, settings: Settings, clock: Clock) -> Gate:
    """Let routes of `web` say what they need, and add the routes for signing in.

    Call it before middleware that gives requests their id is added, so that the id is there.

    Raises:
        UnsupportedOperationError: the store is a JSON file.
        ConfigurationError, MissingExtraError: a setting cannot be used.
    """
    gate = gate_from(store=store, settings=settings, clock=clock)
    web.state.gate, web.state.old_gates = gate, []
    web.state.gate_settings = settings
    web.state.idempotency = _idempotency(store, settings, clock)
    web.include_router(sign_in.router)
    web.add_middleware(AuditRequests)
    web.add_middleware(AccessHeaders)
    return gate


async def reopen(web: FastAPI, *, store: Store, settings: Settings, clock: Clock) -> None:
    """Go on with other settings of access and limits; whoever is inside is served as before.

    Nothing happens when they are as they were, so counts of requests go on.

    Raises:
        ConfigurationError, MissingExtraError: a setting cannot be used; all stays as it was.
    """
    before = web.state.gate_settings
    if all(getattr(before, name) == getattr(settings, name) for name in _SECTIONS):
        return
    require_known_endpoints(web, settings)
    gate = gate_from(store=store, settings=settings, clock=clock)
    for old in web.state.old_gates:
        await old.aclose()
    web.state.old_gates = [web.state.gate]
    web.state.gate, web.state.gate_settings = gate, settings
    web.state.idempotency = _idempotency(store, settings, clock)


def require_known_endpoints(web: FastAPI, settings: Settings) -> None:
    """Check that every limit of an endpoint is for one that there is. Call it when all routes are there.

    Raises:
        ConfigurationError: one is for none, and would limit nothing.
    """
    if not settings.rate_limits.enabled:
        return
    routes = rules_of(web)
    for method, path in endpoint_limits(settings.rate_limits.endpoints):
        if any(method == own and compile_path(route)[0].match(path) for own, route in routes):
            continue
        known = [f"{own} {route}" for own, route in routes]
        close_ones = get_close_matches(f"{method} {path}", known, n=1)
        meant = f"Did you mean {close_ones[0]}? " if close_ones else ""
        raise ConfigurationError(
            f"rate_limits.endpoints has '{method} {path}', and there is no such endpoint.",
            hint=f"{meant}Every endpoint is in the description at /api/v1/openapi.json.",
        )


async def close(web: FastAPI) -> None:
    """Close what was opened for the gates."""
    for gate in (web.state.gate, *web.state.old_gates):
        await gate.aclose()


def _idempotency(store: Store, settings: Settings, clock: Clock) -> Idempotency:
    return Idempotency(
        store=store.idempotency, clock=clock,
        keep_seconds=settings.access.idempotency_hours * 3600,
        lease_seconds=settings.access.idempotency_lease_seconds,
    )  # fmt: skip


def gate_from(*, store: Store, settings: Settings, clock: Clock) -> Gate:
    """Return the gate that the settings describe.

    Raises:
        UnsupportedOperationError, ConfigurationError, MissingExtraError: as `install`.
    """
    return Gate(
        access=access_of(store, clock, remember_seconds=settings.access.key_memory_seconds),
        sign_in=sign_in_of(store, settings, clock, with_provider=True),
        audit=audit_of(store, settings, clock),
        limits=_limits(settings, clock),
        trusted_proxies=networks_from(
            settings.access.trusted_proxies, setting="access.trusted_proxies"
        ),
        public_url=public_url(settings),
    )


def _limits(settings: Settings, clock: Clock) -> RateLimits | None:
    chosen = settings.rate_limits
    if not chosen.enabled:
        return None
    rules = LimitRules(
        per_minute=chosen.per_minute, anonymous_per_minute=chosen.anonymous_per_minute,
        failed_sign_ins_per_minute=chosen.failed_sign_ins_per_minute,
        endpoints=endpoint_limits(chosen.endpoints), exempt_admins=chosen.exempt_admins,
    )  # fmt: skip
    storage = chosen.storage or settings.redis.url
    return RateLimits(rules, clock=clock, storage="" if storage == IN_MEMORY else storage)

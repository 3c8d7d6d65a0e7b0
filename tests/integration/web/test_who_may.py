"""Every route against every role: what is not stated is refused by a test, so nothing is forgotten."""

from __future__ import annotations

import re

import pytest

from jules_job_manager.domain.access import PERMISSIONS, Permission, Role
from jules_job_manager.web.access import rules_of

from .conftest import client_of

pytestmark = pytest.mark.integration
_PUBLIC = {
    ("GET", "/"), ("GET", "/api/v1/openapi.json"), ("GET", "/sign-in"), ("POST", "/sign-in"),
    ("GET", "/sign-in/oidc"), ("GET", "/sign-in/oidc/callback"),
    ("GET", "/health"),
}  # fmt: skip
"""Routes for everybody; a new one is added here on purpose."""
_UNCOUNTED = {("GET", "/health/live"), ("GET", "/health/ready")}
"""Routes without a limit. One that does any work is not added here: its work would be free."""


async def test_every_route_states_who_may(web):
    """A route without a rule, or one that became public unnoticed, fails here."""
    rules = rules_of(web)
    assert [] == [route for route, rule in rules.items() if rule is None]
    assert {route for route, rule in rules.items() if rule == "public"} <= _PUBLIC
    assert {route for route, rule in rules.items() if rule == "public, uncounted"} == _UNCOUNTED
    assert len(rules) > 50


async def test_each_role_gets_as_far_as_it_may(web, keys):
    """Without a key 401, with too little 403, and with enough neither."""
    rules = [
        (method, path, Permission(rule))
        for (method, path), rule in rules_of(web).items()
        if rule in set(Permission) and method != "WEBSOCKET"
    ]
    assert len(rules) > 40
    async with client_of(web) as nobody:
        for method, path, _ in rules:
            answer = await nobody.request(method, _filled(path))
            assert 401 == answer.status_code, (method, path)
            assert "JJM110" == answer.json()["code"]
    for role in Role:
        async with client_of(web, keys[role]) as client:
            for method, path, permission in rules:
                if _is_endless(path) and permission in PERMISSIONS[role]:
                    continue
                answer = await client.request(method, _filled(path))
                if permission in PERMISSIONS[role]:
                    assert answer.status_code not in {401, 403}, (role, method, path)
                else:
                    assert 403 == answer.status_code, (role, method, path)


async def test_a_scope_narrows_a_role(web):
    """A key with one scope may do that and nothing else."""
    from jules_job_manager.bootstrap.access import local_caller

    issued = await web.state.gate.access.create(
        name="narrow", role=Role.ADMIN, scopes=frozenset({Permission.TASKS_READ}),
        caller=local_caller(),
    )  # fmt: skip
    async with client_of(web, issued.text) as client:
        assert 200 == (await client.get("/api/v1/tasks")).status_code
        assert 403 == (await client.get("/api/v1/jobs")).status_code


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "nothing-of-this-name", path)


def _is_endless(path: str) -> bool:
    return path.endswith("/stream")

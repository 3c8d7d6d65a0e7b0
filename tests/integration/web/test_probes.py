"""Who asks after health again and again: machines are never told to come later."""

from __future__ import annotations

import pytest

from jules_job_manager.bootstrap.access import local_caller
from jules_job_manager.domain.access import Role
from jules_job_manager.errors import StoreUnavailableError

from .conftest import client_of

pytestmark = pytest.mark.integration


@pytest.fixture
def environ(environ):
    """Return an environment in which requests are counted."""
    environ |= {
        "JJM_RATE_LIMITS__ENABLED": "true", "JJM_RATE_LIMITS__ANONYMOUS_PER_MINUTE": "6",
        "JJM_RATE_LIMITS__PER_MINUTE": "4", "JJM_RATE_LIMITS__FAILED_SIGN_INS_PER_MINUTE": "2",
    }  # fmt: skip
    return environ


async def _asked(client, path: str, times: int, **headers: str) -> list[int]:
    return [(await client.get(path, headers=headers)).status_code for _ in range(times)]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_probes_are_not_counted(web, service, path):
    """A load balancer asks as often as it likes, and takes nothing from others of its address."""
    await service.operations.health.check_all()
    async with client_of(web) as client:
        assert {200} == set(await _asked(client, path, 200))
        assert "x-ratelimit-limit" not in (await client.get(path)).headers
        assert [200] * 6 + [429] == await _asked(client, "/api/v1/openapi.json", 7)
        assert [200] == await _asked(client, path, 1)


async def test_the_whole_is_counted_once(web):
    """By address for those without a key, and as theirs for those with one."""
    issued = await web.state.gate.access.create(
        name="dashboard", role=Role.VIEWER, caller=local_caller()
    )
    async with client_of(web) as client:
        assert [200] * 6 + [429] == await _asked(client, "/health", 7)
        mine = {"X-API-Key": issued.text}
        assert [200] * 4 + [429] == await _asked(client, "/health", 5, **mine)
        assert [200] * 2 + [429] == await _asked(client, "/health", 3, **{"X-API-Key": "guessed"})


async def test_the_whole_is_counted_while_the_store_is_away(web, monkeypatch):
    """Then nobody knows whose key it is, so it counts for the address."""

    async def away(key: str):
        raise StoreUnavailableError("away")

    monkeypatch.setattr(web.state.gate.access, "authenticate", away)
    async with client_of(web, "some-key") as client:
        assert [200] * 6 + [429] == await _asked(client, "/health", 7)

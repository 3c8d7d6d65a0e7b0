"""A parameter that a route does not have is refused, and the one that is meant is named."""

from __future__ import annotations

import re

import pytest

from jules_job_manager.errors import InvalidInputError
from jules_job_manager.web.parameters import require_known

from .conftest import client_of

pytestmark = pytest.mark.integration


async def test_a_slip_is_named(client):
    """It is not an answer with everything; asked in the right way before, too."""
    assert 200 == (await client.get("/api/v1/jobs?status=failed")).status_code
    for path, meant in (
        ("jobs?statsu=failed", "status"), ("tasks?limt=3", "limit"), ("events?afer=3", "after"),
        ("tasks?status=failed&Sort=changed", "sort"), ("tasks/1?frash=true", "fresh"),
        ("events/stream?jobs=A", "job"),
    ):  # fmt: skip
        for _ in range(2):
            answer = await client.get(f"/api/v1/{path}")
            assert (400, "JJM010") == (answer.status_code, answer.json()["code"]), path
            assert f"Is {meant} meant?" == answer.json()["hint"]
    told = (await client.get("/api/v1/jobs?colour=red")).json()
    assert "There is no parameter 'colour' here." == told["detail"]
    assert "status" in told["hint"]
    assert "It has none." == (await client.get("/api/v1/service?xyz=1")).json()["hint"]


async def test_every_route(web, client):
    """None passes one over, whatever its method; what is described is known."""
    described = web.openapi()["paths"]
    checked = 0
    for path, methods in described.items():
        if not path.startswith("/api/v1/"):
            continue
        for method, operation in methods.items():
            filled = re.sub(r"{[^}]*}", "1", path)
            answer = await client.request(method, filled, params={"nonsense": "1"})
            assert (400, "JJM010") == (answer.status_code, answer.json()["code"]), (method, path)
            assert "'nonsense'" in answer.json()["detail"]
            names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            if method == "get" and not path.endswith("/stream"):
                answer = await client.get(filled, params=dict.fromkeys(names, ""))
                assert "There is no parameter" not in answer.text, path
            checked += 1
    assert checked > 60


async def test_who_may_not_hears_that_first(web, keys):
    """Without a key it is 401, and counts as any other request."""
    async with client_of(web) as nobody:
        assert 401 == (await nobody.get("/api/v1/jobs?statsu=failed")).status_code
        for page in ("/sign-in?from=mail", "/health?x=1", "/health/live?x=1"):
            assert 200 == (await nobody.get(page)).status_code, page


def test_a_long_name():
    """It is cut, and looked for no longer than that."""
    with pytest.raises(InvalidInputError) as caught:
        require_known(["x" * 5000], {"status"})
    assert len(str(caught.value)) < 400

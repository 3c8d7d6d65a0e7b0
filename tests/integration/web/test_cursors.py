"""A cursor leads on in the list, the filters and the order that it was made with, and nowhere else."""

from __future__ import annotations

import base64

import pytest

from jules_job_manager.web.paging import going_on, sealed

pytestmark = pytest.mark.integration
LISTS = ("tasks", "jobs", "attempts", "deliveries", "reviews", "approvals", "backlogs")
NUMBERED = ("audit", "webhooks/deliveries")


async def _first(client, path: str, **params) -> str:
    answer = await client.get(f"/api/v1/{path}", params={"limit": 1, **params})
    return str(answer.json()["next_cursor"])


async def _refusal(client, path: str, cursor: str, **params) -> str:
    answer = await client.get(f"/api/v1/{path}", params={"cursor": cursor, **params})
    assert (400, "JJM010") == (answer.status_code, answer.json()["code"]), (path, cursor)
    assert "Begin again without a cursor." == answer.json()["hint"]
    return str(answer.json()["detail"])


@pytest.fixture
async def filled(client):
    jobs = [{"key": f"K{n}", "prompt": "p", "priority": "high"} for n in range(3)]
    await client.post("/api/v1/jobs/batch", json={"jobs": jobs})
    tasks = [{"description": f"t{n}", "repository": "octo/sample"} for n in range(3)]
    await client.post("/api/v1/tasks/batch", json={"tasks": tasks})


@pytest.mark.usefixtures("filled")
async def test_it_belongs_to_what_was_asked(client):
    """Another list, another filter or another order refuses it; another size of the page does not."""
    jobs, tasks = await _first(client, "jobs", priority="high"), await _first(client, "tasks")
    for path, cursor, params in (
        ("jobs", jobs, {}), ("jobs", jobs, {"priority": "low"}),
        ("jobs", jobs, {"priority": "high", "sort": "key"}), ("tasks", jobs, {}),
        ("tasks", tasks, {"archived": "true"}), ("tasks", tasks, {"sort": "changed"}),
        ("attempts", tasks, {}),
    ):  # fmt: skip
        told = await _refusal(client, path, cursor, **params)
        assert "The cursor is of another list, or of other filters or another order." == told
    for path, params in (
        ("jobs", {"priority": "high", "sort": "place", "cursor": jobs}),
        ("tasks", {"sort": "-changed", "cursor": tasks}),
    ):
        for limit in (1, 50):
            page = (await client.get(f"/api/v1/{path}", params={**params, "limit": limit})).json()
            assert min(limit, 2) == len(page["items"])
    fresh = await _first(client, "tasks", fresh="true")
    assert 200 == (await client.get(f"/api/v1/tasks?cursor={fresh}")).status_code


@pytest.mark.parametrize("path", LISTS)
async def test_what_is_no_cursor(client, path):
    """It is told alike by every list, without the form that cursors have inside."""
    for cursor in ("YWJj", "#", "", "é", "x" * 2000, base64.b64encode(b"[1]" * 20).decode()):
        told = await _refusal(client, path, cursor)
        assert "The cursor is none that was given out." == told


@pytest.mark.parametrize("path", NUMBERED)
async def test_lists_with_numbers(client, path):
    """They say the same of what is no number; one that is too high ends nothing."""
    for cursor in ("x", "0", "-1", "1.5", "", str(2**63), "YWJj"):
        told = await _refusal(client, path, cursor)
        assert "The cursor is none that was given out." == told
    answer = await client.get(f"/api/v1/{path}", params={"cursor": str(2**62)})
    assert 200 == answer.status_code


def test_none_stays_none():
    """The first page needs no cursor, and the last one gives none."""
    from jules_job_manager.ports.job_store import JobQuery

    query = JobQuery(limit=3)
    assert sealed(None, query) is None
    assert query is going_on(query, None)
    assert "a/ö" == going_on(query, sealed("a/ö", query)).after

"""Several at once: each stands or falls by itself, whatever is wrong with it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration
JOBS = {
    "jobs": [{"key": "C1"}, {"key": ""}, {"key": "C2", "colour": "red"}, 5, {"key": "C3"}],
}  # fmt: skip


async def test_an_item_that_does_not_fit_leaves_the_others_alone(client):
    """It has the problem that it alone would have had."""
    answer = await client.post("/api/v1/jobs/batch", json=JOBS)
    results = answer.json()["results"]
    assert 200 == answer.status_code
    assert [201, 400, 400, 400, 201] == [result["status"] for result in results]
    assert list(range(5)) == [result["index"] for result in results]
    alone = (await client.post("/api/v1/jobs", json={"key": ""})).json()
    problem = results[1]["problem"]
    assert alone["detail"] == problem["detail"]
    assert (alone["code"], alone["errors"]) == (problem["code"], problem["errors"])
    assert answer.headers["x-request-id"] == problem["request_id"]
    assert ["body.colour"] == [error["at"] for error in results[2]["problem"]["errors"]]
    assert ["body"] == [error["at"] for error in results[3]["problem"]["errors"]]
    listed = (await client.get("/api/v1/jobs")).json()["items"]
    assert ["C1", "C3"] == [job["key"] for job in listed]
    (entry,) = (await client.get("/api/v1/audit", params={"resource": "jobs"})).json()["items"]
    is_now = entry["after"]["is"]
    assert (5, 2, 3) == (is_now["asked"], is_now["created"], is_now["failed"])
    assert {"index": 1, "error": "JJM010"} == is_now["items"][1]


async def test_a_repeated_batch(client):
    """Under its Idempotency-Key it is answered as before, with what did not fit."""
    headers = {"Idempotency-Key": "k-1"}
    body = {"tasks": [{"description": ""}, {"description": "A test.", "repository": "octo/sample"}]}
    first, again = [
        await client.post("/api/v1/tasks/batch", json=body, headers=headers) for _ in range(2)
    ]
    assert [400, 201] == [result["status"] for result in first.json()["results"]]
    assert first.json() == again.json()


@pytest.mark.parametrize(
    "body", [{}, {"jobs": []}, {"jobs": {}}, {"jobs": [{"key": "a"}], "more": 1}, {"jobs": [{}] * 501}, []]
)  # fmt: skip
async def test_what_is_no_batch(client, body):
    """Its shape and its size are looked at before any item is."""
    assert 400 == (await client.post("/api/v1/jobs/batch", json=body)).status_code
    assert [] == (await client.get("/api/v1/jobs")).json()["items"]

"""Tasks over the interface."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.access import Role
from jules_job_manager.web.schemas import tasks as s

from .conftest import client_of

pytestmark = pytest.mark.integration
TASKS = "/api/v1/tasks"
NEW = {"description": "Add a greeting", "repository": "octo/sample", "require_plan_approval": True}


async def _waiting_plan(client) -> dict:
    """Create a task and ask until its plan waits."""
    task = (await client.post(TASKS, json=NEW)).json()
    for _ in range(500):
        status = (await client.get(f"{TASKS}/{task['id']}/status", params={"fresh": 0})).json()
        if status["status"] == "waiting_approval":
            return (await client.get(f"{TASKS}/{task['id']}")).json()
    raise AssertionError(status)


async def test_a_task_from_its_creation_to_its_end(client, service):
    """Create, read, approve what was seen, talk, archive, delete; events name who did it."""
    answer = await client.post(TASKS, json=NEW)
    assert 201 == answer.status_code
    task = answer.json()
    assert f"{TASKS}/{task['id']}" == answer.headers["Location"]
    waiting = await _waiting_plan(client)
    task_id = waiting["id"]
    assert [task_id] == [
        found["task_id"] for found in (await client.get("/api/v1/approvals")).json()["items"]
    ]
    refused = await client.post(f"{TASKS}/{task_id}/approve", json={"plan": "0" * 64})
    assert (409, "JJM065") == (refused.status_code, refused.json()["code"])
    plan = (await client.get(f"{TASKS}/{task_id}/plans")).json()[-1]["fingerprint"]
    approved = await client.post(f"{TASKS}/{task_id}/approve", json={"plan": plan})
    assert "in_progress" == approved.json()["status"]
    again = await client.post(f"{TASKS}/{task_id}/approve")
    assert 409 == again.status_code
    sent = await client.post(f"{TASKS}/{task_id}/message", json={"text": "Go on"})
    assert task_id == sent.json()["task_id"]
    events = (await client.get(f"{TASKS}/{task_id}/events")).json()["items"]
    actors = {event["type"]: event["actor"] for event in events}
    assert (
        "the-admin" == actors["plan_approved"] == actors["message_sent"] == actors["task_created"]
    )
    archived = await client.put(f"{TASKS}/{task_id}", json={"archived": True})
    assert archived.json()["archived"]
    assert 204 == (await client.delete(f"{TASKS}/{task_id}")).status_code
    assert 404 == (await client.get(f"{TASKS}/{task_id}")).status_code


async def test_lists_in_pages_and_narrowed(client):
    """Every task is on exactly one page; filters and a search narrow the list."""
    made = []
    for number in range(5):
        answer = await client.post(TASKS, json={**NEW, "description": f"Piece {number} of it"})
        made.append(answer.json()["id"])
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(TASKS, params=params)).json()
        seen += [task["id"] for task in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(made) == sorted(seen)
    backwards = (await client.get(TASKS, params={"sort": "changed"})).json()["items"]
    assert seen[::-1] == [task["id"] for task in backwards]
    found = (await client.get(TASKS, params={"q": "piece 3"})).json()["items"]
    assert [made[3]] == [task["id"] for task in found]
    assert [] == (await client.get(TASKS, params={"repository": "other/one"})).json()["items"]
    assert 400 == (await client.get(TASKS, params={"cursor": "§"})).status_code
    assert (
        400
        == (await client.get(TASKS, params={"changed_since": "2026-01-01T00:00:00"})).status_code
    )


async def test_a_batch_tells_of_each(client):
    """One that cannot be created does not keep the others from it."""
    body = {"tasks": [NEW, {**NEW, "repository": "not one"}, {**NEW, "branch": "a..b"}]}
    results = (await client.post(f"{TASKS}/batch", json=body)).json()["results"]
    assert [201, 400, 400] == [result["status"] for result in results]
    assert "JJM010" == results[1]["problem"]["code"]
    assert 1 == len((await client.get(TASKS)).json()["items"])


async def test_sent_again_it_is_not_done_again(client, web, keys):
    """The same key gives the same answer; another body, or another person's key, does not."""
    headers = {"Idempotency-Key": "one"}
    first = await client.post(TASKS, json=NEW, headers=headers)
    second = await client.post(TASKS, json=NEW, headers=headers)
    assert first.json() == second.json()
    assert "true" == second.headers["Idempotency-Replayed"]
    other = await client.post(TASKS, json={**NEW, "title": "x"}, headers=headers)
    assert (422, "JJM122") == (other.status_code, other.json()["code"])
    async with client_of(web, keys[Role.OPERATOR]) as operator:
        theirs = await operator.post(TASKS, json=NEW, headers=headers)
    assert 201 == theirs.status_code
    assert theirs.json()["id"] != first.json()["id"]
    assert 2 == len((await client.get(TASKS)).json()["items"])


async def test_a_change_of_what_has_changed_is_refused(client):
    """`If-Match` with an old tag is 412, and nothing happens."""
    task = (await client.post(TASKS, json=NEW)).json()
    path = f"{TASKS}/{task['id']}"
    tag = (await client.get(path)).headers["ETag"]
    changed = await client.put(path, json={"archived": True}, headers={"If-Match": tag})
    assert 200 == changed.status_code
    late = await client.put(path, json={"archived": False}, headers={"If-Match": tag})
    assert (412, "JJM066") == (late.status_code, late.json()["code"])
    assert (await client.get(path)).json()["archived"]
    assert 412 == (await client.delete(path, headers={"If-Match": tag})).status_code
    assert 204 == (await client.delete(path, headers={"If-Match": "*"})).status_code


async def test_an_unclear_outcome_is_not_tried_again(client, service, monkeypatch):
    """Jules may have made the task: the same key gets the same answer, and Jules is not asked again."""
    from jules_job_manager.errors import UnclearOutcomeError

    asked = []

    async def unclear(new):
        asked.append(new)
        raise UnclearOutcomeError("It may exist.")

    monkeypatch.setattr(service.app.backend, "create_task", unclear)
    headers = {"Idempotency-Key": "unclear"}
    first = await client.post(TASKS, json=NEW, headers=headers)
    second = await client.post(TASKS, json=NEW, headers=headers)
    assert (502, "JJM063") == (first.status_code, first.json()["code"])
    assert (502, "JJM063") == (second.status_code, second.json()["code"])
    assert 1 == len(asked)


async def test_read_again_it_is_as_new_and_as_guarded(client, web, keys):
    """The short ways of reads: answers fit their models, a change shows, and who may not is refused."""
    made = (await client.post(TASKS, json={**NEW, "title": "NaN \u2028 é"})).json()
    path = f"{TASKS}/{made['id']}"
    for _ in range(2):
        for query in ("", "?limit=1", "?limit=1&archived=true"):
            page = (await client.get(f"{TASKS}{query}")).json()
            assert s.TaskPage.model_validate(page).model_dump(mode="json") == page
            assert [made["id"]] == [task["id"] for task in page["items"]]
    task = (await client.get(path)).json()
    assert s.TaskOut.model_validate(task).model_dump(mode="json") == task
    status = (await client.get(f"{path}/status")).json()
    assert s.TaskStatusOut.model_validate(status).model_dump(mode="json") == status
    tag = (await client.get(path)).headers["ETag"]
    changed = await client.put(path, json={"archived": True}, headers={"If-Match": tag})
    assert changed.headers["ETag"] == (await client.get(path)).headers["ETag"] != tag
    refused = await client.put(path, json={"archived": False}, headers={"If-Match": tag})
    assert 412 == refused.status_code
    assert [] == (await client.get(f"{TASKS}?limit=1")).json()["items"]
    assert 1 == len((await client.get(f"{TASKS}?limit=1&archived=true")).json()["items"])
    assert (await client.get(path)).json()["archived"]
    async with client_of(web) as nobody, client_of(web, keys[Role.VIEWER]) as viewer:
        for address in (path, f"{path}/status", f"{TASKS}?limit=1", TASKS):
            assert 401 == (await nobody.get(address)).status_code
            assert 200 == (await viewer.get(address)).status_code


async def test_odd_references_are_answered_as_ever(client):
    """Ids that are none, too long or unknown; queries that are wrong, sent twice."""
    for _ in range(2):
        assert 404 == (await client.get(f"{TASKS}/404")).status_code
        assert 404 == (await client.get(f"{TASKS}/404/status")).status_code
        for reference in ("%C3%A9", "%00", "a%20b", "x" * 301):
            assert 400 == (await client.get(f"{TASKS}/{reference}")).status_code
        assert 400 == (await client.get(f"{TASKS}?limit=0")).status_code
        assert 400 == (await client.get(f"{TASKS}?status=none")).status_code
        assert 400 == (await client.get(f"{TASKS}/1?fresh=perhaps")).status_code

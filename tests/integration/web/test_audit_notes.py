"""What the audit log says of changes over the interface: enough to know later what was there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jules_job_manager.domain.task import TaskStatus

pytestmark = pytest.mark.integration
JOBS, QUEUE, TASKS = "/api/v1/jobs", "/api/v1/queue", "/api/v1/tasks"
NEW = {"description": "Add a test for the parser", "repository": "octo/sample", "title": "Parser"}


async def _entry(client, operation: str):
    """Return the newest entry of an operation."""
    params = {"operation": f"api.{operation}", "limit": 1}
    return (await client.get("/api/v1/audit", params=params)).json()["items"][0]


async def test_a_batch_of_tasks(client):
    """Each that was created is named, and each that was not says why."""
    body = {"tasks": [NEW, {**NEW, "repository": "not one"}]}
    results = (await client.post(f"{TASKS}/batch", json=body)).json()["results"]
    entry = await _entry(client, "create_tasks")
    assert ("tasks", "done") == (entry["resource"], entry["result"])
    items = [
        {"index": 0, "id": results[0]["item"]["id"]}, {"index": 1, "error": "JJM010"},
    ]  # fmt: skip
    told = {"asked": 2, "created": 1, "failed": 1, "items": items, "left_out": 0}
    assert {"status": 200, "is": told} == entry["after"]


async def test_a_batch_of_which_nothing_came(client):
    """It is no success, although the request was answered."""
    body = {"jobs": [{"key": "A", "depends_on": ["nobody"]}]}
    assert 200 == (await client.post(f"{JOBS}/batch", json=body)).status_code
    entry = await _entry(client, "create_jobs")
    assert ("jobs", "failed") == (entry["resource"], entry["result"])
    assert [{"index": 0, "error": "JJM010"}] == entry["after"]["is"]["items"]


async def test_a_long_batch(client):
    """What there is no room for is counted, so that the rest can still be read."""
    jobs = [{"key": f"{'K' * 90} {n}"} for n in range(150)]
    await client.post(f"{JOBS}/batch", json={"jobs": jobs})
    told = (await _entry(client, "create_jobs"))["after"]["is"]
    assert (150, 0) == (told["created"], told["failed"])
    assert 50 < len(told["items"]) < 150
    assert 150 == len(told["items"]) + told["left_out"]


async def test_a_batch_that_ended_within(client, service, monkeypatch):
    """What was created before is told all the same."""
    create = service.app.tasks.create_task
    made = []

    async def once(_self, new):
        if made:
            raise RuntimeError("the server stumbles")
        made.append(await create(new))
        return made[0]

    monkeypatch.setattr(type(service.app.tasks), "create_task", once)
    assert 500 == (await client.post(f"{TASKS}/batch", json={"tasks": [NEW] * 3})).status_code
    entry = await _entry(client, "create_tasks")
    told = entry["after"]["is"]
    assert ("failed", 3, 1) == (entry["result"], told["asked"], told["created"])
    assert [{"index": 0, "id": made[0].id}] == told["items"]


async def test_a_task_that_is_gone(client):
    """Its title, repository and status are left, and whether it was archived."""
    task = (await client.post(TASKS, json=NEW)).json()
    path = f"{TASKS}/{task['id']}"
    await client.put(path, json={"archived": True})
    assert {"archived": False} == (await _entry(client, "update_task"))["before"]
    await client.put(path, json={"archived": False})
    assert {"archived": True} == (await _entry(client, "update_task"))["before"]
    status = (await client.get(path)).json()["status"]
    await client.delete(path)
    assert {
        "title": "Parser", "repository": "octo/sample", "branch": "main", "status": status,
        "archived": False,
    } == (await _entry(client, "delete_task"))["before"]  # fmt: skip


async def test_a_task_that_goes_on(client, service, monkeypatch):
    """It was paused, since nothing else can be resumed."""
    task = (await client.post(TASKS, json=NEW)).json()
    stored = await service.app.store.tasks.get_task(task["id"])

    async def resumed(_self, reference):
        return replace(stored, status=TaskStatus.IN_PROGRESS)

    monkeypatch.setattr(type(service.app.tasks), "resume_task", resumed)
    await client.post(f"{TASKS}/{task['id']}/resume")
    entry = await _entry(client, "resume_task")
    assert ({"status": "paused"}, {"status": "in_progress"}) == (
        entry["before"], entry["after"]["is"],
    )  # fmt: skip


async def test_places_and_pauses(client):
    """Where a job stood, and why the queue was paused."""
    await client.post(
        f"{JOBS}/batch", json={"jobs": [{"key": k, "prompt": "Do it"} for k in "ABC"]}
    )
    await client.post(f"{JOBS}/C/move", json={"to": "top"})
    assert {"place": 3} == (await _entry(client, "move_job"))["before"]
    for reason, was in (("lunch", ""), ("a long lunch", "lunch")):
        await client.post(f"{QUEUE}/pause", json={"reason": reason})
        assert {"paused": was} == (await _entry(client, "pause_queue"))["before"]
    await client.post(f"{QUEUE}/resume")
    assert {"paused": "a long lunch"} == (await _entry(client, "resume_queue"))["before"]


@pytest.mark.parametrize(
    ("method", "path", "operation", "resource"),
    [
        ("POST", "tasks/nosuch/message", "send_message", "task:nosuch"),
        ("DELETE", "tasks/nosuch", "delete_task", "task:nosuch"),
        ("POST", "jobs/No 1/hold", "hold_job", "job:No 1"),
        ("DELETE", "webhooks/we_none", "delete_webhook", "webhook:we_none"),
        ("POST", "keys/nosuch/rotate", "rotate_key", "key:nosuch"),
        ("POST", "tasks", "create_task", "task"),
        ("POST", "jobs/batch", "create_jobs", "jobs"),
        ("POST", "queue/clean?x=1", "clean_queue", "queue"),
    ],
)
async def test_what_failed_is_told_of_the_same_thing(client, method, path, operation, resource):
    """It is found by what it was about, as what was done, and as the command beside the store."""
    answer = await client.request(method, f"/api/v1/{path}", json={"text": "Hello."})
    assert 400 <= answer.status_code < 500
    entry = await _entry(client, operation)
    assert (resource, "failed") == (entry["resource"], entry["result"])
    found = await client.get("/api/v1/audit", params={"resource": resource})
    assert entry in found.json()["items"]

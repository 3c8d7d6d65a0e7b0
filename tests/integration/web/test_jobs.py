"""Jobs, the queue and its documents over the interface."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
JOBS = "/api/v1/jobs"
DATA = Path(__file__).parents[2] / "data"


async def test_jobs_of_no_document(client):
    """They are added with a whole graph, changed, ordered, held, and removed."""
    first = await client.post(JOBS, json={"key": "A 1", "prompt": "Do it", "priority": "high"})
    assert (201, "ready") == (first.status_code, first.json()["status"])
    assert f"{JOBS}/A%201" == first.headers["Location"]
    batch = {
        "jobs": [
            {"key": "B", "prompt": "x", "depends_on": ["A 1"]}, {"key": "A 1"},
            {"key": "C", "depends_on": ["nobody"]}, {"key": "D"},
        ]
    }  # fmt: skip
    results = (await client.post(f"{JOBS}/batch", json=batch)).json()["results"]
    assert [201, 400, 400, 201] == [result["status"] for result in results]
    assert "blocked" == results[0]["item"]["status"]
    assert "draft" == results[3]["item"]["status"]
    circle = await client.patch(f"{JOBS}/A 1", json={"depends_on": ["B"]})
    assert 400 == circle.status_code
    assert "circle" in circle.json()["detail"]
    changed = await client.patch(f"{JOBS}/d", json={"prompt": "Now", "best_of": 2, "pinned": True})
    assert ("ready", 2, True) == tuple(changed.json()[n] for n in ("status", "best_of", "pinned"))
    assert 400 == (await client.patch(f"{JOBS}/D", json={"title": None})).status_code
    held = await client.post(f"{JOBS}/D/hold", json={"reason": "after lunch"})
    assert "after lunch" == held.json()["held"]
    assert "person" == (await client.get(f"{JOBS}/D/why")).json()["waits_for"]
    assert "" == (await client.post(f"{JOBS}/D/release")).json()["held"]
    assert 400 == (await client.post(f"{JOBS}/D/release")).status_code
    moved = await client.post(f"{JOBS}/B/move", json={"to": "before", "other": "A 1"})
    assert ["D", "B", "A 1"] == moved.json()["keys"]
    needed = await client.delete(f"{JOBS}/A 1")
    assert (400, "B depends on A 1.") == (needed.status_code, needed.json()["detail"])
    assert 204 == (await client.delete(f"{JOBS}/B")).status_code
    assert 204 == (await client.delete(f"{JOBS}/A 1")).status_code
    assert ["D"] == [job["key"] for job in (await client.get(JOBS)).json()["items"]]
    summary = (await client.get("/api/v1/queue")).json()
    assert (1, ["D"], "") == (summary["total"], summary["next"], summary["paused"])


async def test_a_document_is_sent_and_comes_back_with_progress(client, tmp_path, service):
    """It is kept as text: no file of its name is opened, whatever the name."""
    text = (DATA / "jules-task-queue.md").read_text("utf-8")
    victim = tmp_path / "victim.md"
    victim.write_text("mine")
    body = {"name": str(victim), "content": text, "repository": "octo/sample"}
    dry = (await client.post("/api/v1/backlogs", json={**body, "dry_run": True})).json()
    assert 5 == len(dry["added"])
    assert [] == (await client.get("/api/v1/backlogs")).json()["items"]
    report = (await client.post("/api/v1/backlogs", json=body)).json()
    name = report["backlog"]
    assert f"upload:{victim}" == name
    assert 400 == (await client.patch(f"{JOBS}/Task 1", json={"title": "x"})).status_code
    signed = await client.post(f"{JOBS}/task 1/sign", json={"line": 1, "evidence": "I saw it"})
    assert signed.json()["checklist"][0]["checked"]
    exported = (await client.get("/api/v1/backlogs/export", params={"name": name})).text
    assert exported != text
    assert exported.count("[x]") == text.count("[x]") + 1
    again = (await client.post("/api/v1/backlogs", json=body)).json()
    assert ([], 5) == (again["added"], len(again["updated"]))
    assert "mine" == victim.read_text()
    assert 400 == (await client.get("/api/v1/backlogs/export", params={"name": "no"})).status_code


async def test_pages_of_jobs(client):
    """Every job is on exactly one page, in the order of the queue."""
    jobs = [{"key": f"K{n}", "prompt": "Über 50 % of it" if n == 3 else "x"} for n in range(7)]
    await client.post(f"{JOBS}/batch", json={"jobs": jobs})
    seen, cursor = [], None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(JOBS, params=params)).json()
        seen += [job["key"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [job["key"] for job in jobs] == seen
    found = (await client.get(JOBS, params={"q": "50 %"})).json()["items"]
    assert ["K3"] == [job["key"] for job in found]
    # A cursor of another list is no cursor here.
    tasks = (await client.get("/api/v1/attempts", params={"limit": 1})).json()
    assert tasks["next_cursor"] is None
    assert 400 == (await client.get(JOBS, params={"cursor": "YWJj"})).status_code


async def test_pause_quota_settings_and_the_service(client):
    """The rest that a client wants to know; secrets are masked."""
    assert 204 == (await client.post("/api/v1/queue/pause", json={"reason": "lunch"})).status_code
    assert "lunch" == (await client.get("/api/v1/queue")).json()["paused"]
    assert {"was_paused": True} == (await client.post("/api/v1/queue/resume")).json()
    (quota,) = (await client.get("/api/v1/quota", params={"fresh": True})).json()
    assert ("free", 15) == (quota["plan"], quota["per_day"])
    rows = {row["name"]: row for row in (await client.get("/api/v1/settings")).json()}
    assert "simulator" == rows["jules.backend"]["value"]
    assert "sqlite" == (await client.get("/api/v1/service")).json()["store"]


async def test_the_audit_log_says_what_was_changed(client):
    """Who, what, and the members that differ, before and after."""
    await client.post(JOBS, json={"key": "A", "prompt": "x"})
    await client.post(
        f"{JOBS}/A/hold", json={"reason": "lunch"}, headers={"X-Request-ID": "r-12345678"}
    )
    entries = (await client.get("/api/v1/audit")).json()["items"]
    entry = next(entry for entry in entries if entry["operation"] == "api.hold_job")
    assert ("the-admin", "job:A", "done", "r-12345678") == tuple(
        entry[name] for name in ("actor", "resource", "result", "request_id")
    )
    assert {"held": ""} == entry["before"]
    assert {"status": 200, "is": {"held": "lunch"}} == entry["after"]


async def test_keys_that_nobody_could_reach(client):
    """An HTTP client takes `.` and `..` out of an address; what cannot be seen cannot be typed."""
    for key in (".", "..", "\u202eA", "A\u2028B", "\u200b", "A\x7f"):
        refused = await client.post(JOBS, json={"key": key, "prompt": "x"})
        assert (400, "JJM010") == (refused.status_code, refused.json()["code"])
    for name in ("checks", "checklist"):
        for blank in ("", " ", "\u3000"):
            refused = await client.post(JOBS, json={"key": "A", name: ["make test", blank]})
            assert refused.status_code in {400, 422}
    assert [] == (await client.get(JOBS)).json()["items"]
    taken = await client.post(
        JOBS, json={"key": "A", "checks": ["make test"], "checklist": ["x\ny"]}
    )
    assert 201 == taken.status_code
    assert 200 == (await client.patch(f"{JOBS}/A", json={"title": ""})).status_code

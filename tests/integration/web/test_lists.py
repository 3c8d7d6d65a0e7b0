"""Lists of attempts, deliveries, reviews and what waits for a person, over the interface."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from jules_job_manager.client import backlogs
from jules_job_manager.client.connection import Connection
from jules_job_manager.client.operations import Operations
from jules_job_manager.domain.access import Role
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict
from jules_job_manager.domain.task import JulesTask, TaskStatus

pytestmark = pytest.mark.integration
API = "/api/v1"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def full(service):
    """Put jobs, attempts, reviews and tasks into the store of the service."""
    jobs = service.app.store.jobs
    await jobs.save_jobs([
        Job(key=f"K{n}", title=f"Job {n}", repository="o/a" if n < 3 else "o/b",
            status=JobStatus.NEEDS_YOU if n > 2 else JobStatus.RUNNING, reason=f"stuck at {n}")
        for n in range(6)
    ])  # fmt: skip
    for n in range(6):
        await jobs.save_attempt(
            Attempt(mark=f"m{n}", job_key=f"K{n}", number=1, task_id=f"9{n}" if n < 3 else "",
                    state=AttemptState.ACCEPTED if n == 5 else AttemptState.LIVE,
                    delivered_commit=f"{n}" * 40 if n > 2 else "", created_at=NOON - timedelta(hours=n))
        )  # fmt: skip
    for n in range(3, 6):
        found = CheckResult(name="tests", conclusion=Conclusion.FAILURE, output=f"broken {n}")
        await jobs.save_review(
            Review(job_key=f"K{n}", mark=f"m{n}", delivered_commit=f"{n}" * 40, base_commit="b" * 40,
                   verdict=Verdict.ACCEPT if n == 4 else Verdict.REJECT, checks=(found,),
                   at=NOON + timedelta(hours=n))
        )  # fmt: skip
    await service.app.store.tasks.save_tasks([
        JulesTask(id=f"9{n}", title=f"Task {n}", repository="o/a", updated_at=NOON + timedelta(hours=n % 2),
                  status=TaskStatus.WAITING_FEEDBACK if n == 1 else TaskStatus.WAITING_APPROVAL)
        for n in range(3)
    ])  # fmt: skip
    return service


async def _pages(client, path, **params) -> list[dict]:
    """Return all items of a list, read in pages of two."""
    seen, cursor = [], {}
    while True:
        answer = await client.get(API + path, params={"limit": 2, **params, **cursor})
        assert 200 == answer.status_code, answer.text
        page = answer.json()
        seen += page["items"]
        if page["next_cursor"] is None:
            return seen
        assert 2 == len(page["items"])
        cursor = {"cursor": page["next_cursor"]}


async def test_attempts(client, full):
    """Newest first, of one state, and by a text."""

    async def marks(**params):
        return [item["mark"] for item in await _pages(client, "/attempts", **params)]

    assert [f"m{n}" for n in range(6)] == await marks(sort="-created")
    assert [f"m{n}" for n in range(5, -1, -1)] == await marks(sort="-job")
    assert ["m5"] == await marks(state="accepted")
    assert ["m1"] == await marks(q="91")
    assert ["m0", "m1"] == await marks(created_since="2026-11-24T11:00:00Z")


async def test_deliveries(client, full):
    """Pages are full, whatever else there is; merged ones alone."""

    async def keys(**params):
        return [item["job_key"] for item in await _pages(client, "/deliveries", **params)]

    assert ["K3", "K4", "K5"] == await keys()
    assert ["K3", "K4", "K5"] == await keys(sort="-created")
    assert ["K5"] == await keys(merged=True)
    (one,) = await _pages(client, "/deliveries", job="K4")
    assert ("accept", "4" * 40) == (one["verdict"], one["commit"])


async def test_reviews(client, full):
    """Of every job, newest first, by verdict and by what was found."""

    async def keys(**params):
        return [item["job_key"] for item in await _pages(client, "/reviews", **params)]

    assert ["K5", "K4", "K3"] == await keys(sort="-at")
    assert ["K3", "K5"] == await keys(verdict="reject")
    assert ["K4"] == await keys(q="BROKEN 4")
    assert ["K4"] == await keys(job="K4")
    assert ["K3"] == await keys(before="2026-11-24T15:30:00Z")


async def test_one_of_each(client, full):
    """An attempt and what it handed over by its mark, the review of a commit by that commit."""
    again = Review(job_key="K4", mark="m4", delivered_commit="4" * 40, base_commit="c" * 40,
                   verdict=Verdict.REJECT, at=NOON + timedelta(hours=9))  # fmt: skip
    await full.app.store.jobs.save_review(again)
    attempt = await client.get(f"{API}/attempts/m4")
    assert (200, "K4", "live") == (
        attempt.status_code,
        *map(attempt.json().get, ("job_key", "state")),
    )
    delivery = await client.get(f"{API}/deliveries/m4")
    assert (200, "4" * 40, "reject") == (
        delivery.status_code,
        *map(delivery.json().get, ("commit", "verdict")),
    )
    assert [delivery.json()] == await _pages(client, "/deliveries", job="K4")
    review = await client.get(f"{API}/jobs/k4/reviews/{'4' * 40}")
    assert (200, "c" * 40) == (review.status_code, review.json()["base_commit"])
    assert ["b" * 40, "c" * 40] == [
        one["base_commit"] for one in await _pages(client, "/reviews", commit="4" * 40)
    ]
    for path in ("/attempts/m", "/deliveries/m", "/deliveries/m1", f"/jobs/K4/reviews/{'5' * 40}"):
        answer = await client.get(API + path)
        assert (404, "JJM015") == (answer.status_code, answer.json()["code"]), path


async def test_events(client, service):
    """Of several types and subjects, between two times, from either end; one by its id."""
    subjects = ["job:A", "job:B", "task:1", "job:A*", "queue"]
    await service.app.store.events.append([
        NewEvent(type=EventType.MERGED if n % 2 else EventType.BACKLOG_IMPORTED, subject=subject,
                 at=NOON + timedelta(hours=n), data={})
        for n, subject in enumerate(subjects)
    ])  # fmt: skip

    async def found(**params):
        answer = await client.get(f"{API}/events", params=params)
        assert 200 == answer.status_code, answer.text
        return [event["subject"] for event in answer.json()["items"]]

    assert subjects == await found()
    assert ["job:A", "job:B", "job:A*"] == await found(subject="job:*")
    assert ["job:B", "task:1"] == await found(subject=["job:B", "task:1"])
    assert ["job:A", "job:B", "job:A*"] == await found(subject="job:A*", job="B")
    assert ["job:A*"] == await found(job="A*")
    assert ["task:1"] == await found(task="1", type=["merged", "backlog_imported"])
    assert ["job:B", "job:A*"] == await found(type="merged")
    times = {"since": "2026-11-24T13:00:00Z", "until": "2026-11-24T15:00:00Z"}
    assert ["job:B", "task:1"] == await found(**times)
    newest = (await client.get(f"{API}/events", params={"sort": "-id", "limit": 2})).json()["items"]
    assert ["queue", "job:A*"] == [event["subject"] for event in newest]
    assert ["task:1", "job:B"] == await found(sort="-id", limit=2, before=newest[-1]["id"])
    one = await client.get(f"{API}/events/{newest[0]['id']}")
    assert (200, newest[0]) == (one.status_code, one.json())
    none = await client.get(f"{API}/events/{newest[0]['id'] + 1}")
    assert (404, "JJM015") == (none.status_code, none.json()["code"])


@pytest.mark.parametrize(("path", "subject"), [("/jobs/K1", "job:K1"), ("/tasks/90", "task:90")])
async def test_the_history_of_one(client, full, path, subject):
    """Of several types, between two times, from either end, and of nothing else."""
    types = [EventType.MERGED, EventType.BACKLOG_IMPORTED, EventType.JOB_CHANGED]
    await full.app.store.events.append([
        NewEvent(type=types[n % 3], subject=about, at=NOON + timedelta(hours=n), data={})
        for n in range(6) for about in (subject, "queue")
    ])  # fmt: skip

    async def page(**params):
        answer = await client.get(f"{API}{path}/events", params=params)
        assert 200 == answer.status_code, answer.text
        assert {subject} >= {event["subject"] for event in answer.json()["items"]}
        return answer.json()["items"]

    async def hours(**params):
        return [int(event["at"][11:13]) - 12 for event in await page(**params)]

    assert [0, 1, 2, 3, 4, 5] == await hours()
    assert [0, 2, 3, 5] == await hours(type=["merged", "job_changed"])
    times = {"since": "2026-11-24T13:00:00Z", "until": "2026-11-24T15:00:00Z"}
    assert [1, 2] == await hours(**times)
    assert [2, 1] == await hours(sort="-id", **times)
    newest = await page(sort="-id", limit=2)
    assert [3, 2] == await hours(sort="-id", limit=2, before=newest[-1]["id"])
    assert [5] == await hours(after=newest[-1]["id"])
    no_zone = await client.get(f"{API}{path}/events", params={"since": "2026-11-24T13:00:00"})
    assert 400 == no_zone.status_code


async def test_backlogs(client, full):
    """Counted by status, in either order, and by a text in the name."""
    done = {"status": JobStatus.DONE}
    await full.app.store.jobs.save_jobs([
        Job(key="A1", backlog="/a.md", **done), Job(key="A2", backlog="/a.md"), Job(key="B1", backlog="/b.md"),
        Job(key="C1", backlog="upload:C.md"),
    ])  # fmt: skip

    async def names(**params):
        return [item["name"] for item in await _pages(client, "/backlogs", **params)]

    assert ["", "/a.md", "/b.md", "upload:C.md"] == await names()
    assert ["", "/a.md", "upload:C.md", "/b.md"] == await names(sort="-jobs")
    assert ["upload:C.md"] == await names(q="c.MD")
    (one,) = await _pages(client, "/backlogs", q="/a")
    assert {"name": "/a.md", "jobs": 2, "counts": {"done": 1, "draft": 1}} == one


async def test_backlogs_through_the_client(web, keys, full, monkeypatch):
    """It reads every page; jobs in no document are of no backlog."""
    monkeypatch.setattr(backlogs, "_PAGE", 2)
    names = [f"/{n}.md" for n in range(4)]
    await full.app.store.jobs.save_jobs([Job(key=name, backlog=name) for name in names])
    connection = Connection(
        "http://127.0.0.1", api_key=keys[Role.VIEWER], timeout_seconds=30,
        transport=httpx2.ASGITransport(web),
    )  # fmt: skip
    found = await backlogs.RemoteBacklogs(Operations(connection)).backlogs()
    await connection.aclose()
    assert tuple(names) == found == await full.app.backlogs.backlogs()


async def test_what_waits_for_a_person(client, full):
    """Longest first or last, of one kind or repository, and by a text."""

    async def waiting(**params):
        found = await _pages(client, "/approvals", **params)
        return [item["task_id"] or item["job_key"] for item in found]

    longest = await waiting()
    assert {"90", "91", "92", "K3", "K4", "K5"} == set(longest)
    assert ["90", "92"] == longest[:2]
    assert list(reversed(longest)) == await waiting(sort="-waiting")
    assert ["90", "92"] == await waiting(kind="plan")
    assert ["91"] == await waiting(kind="question")
    assert {"K3", "K4", "K5"} == set(await waiting(repository="o/b"))
    assert ["K4"] == await waiting(q="STUCK at 4")


def _sealed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(("path", "params"), [
    ("/approvals", {"cursor": "WzFd"}), ("/approvals", {"cursor": "W3RydWUsMSwyLDMsNF0"}),
    ("/approvals", {"cursor": _sealed('["-waiting", true, "", "job", "", "K4"]')}),
    ("/approvals", {"cursor": _sealed("[" * 1400)}), ("/jobs", {"cursor": _sealed("[" * 1400)}),
    ("/attempts", {"cursor": "WzFd"}), ("/backlogs", {"cursor": "WzFd"}), ("/reviews", {"cursor": "%%%"}),
    ("/events", {"since": "2026-11-24T11:00:00"}),
    ("/attempts", {"created_since": "2026-11-24T11:00:00"}), ("/reviews", {"before": "2026-11-24T11:00:00"}),
])  # fmt: skip
async def test_what_cannot_be_meant(client, full, path, params):
    """One sentence says what is wrong."""
    answer = await client.get(API + path, params=params)
    assert 400 == answer.status_code, answer.text
    assert answer.json()["detail"]

"""Lists of attempts, deliveries, reviews and what waits for a person, over the interface."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

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
    ("/attempts", {"cursor": "WzFd"}), ("/reviews", {"cursor": "%%%"}),
    ("/attempts", {"created_since": "2026-11-24T11:00:00"}), ("/reviews", {"before": "2026-11-24T11:00:00"}),
])  # fmt: skip
async def test_what_cannot_be_meant(client, full, path, params):
    """One sentence says what is wrong."""
    answer = await client.get(API + path, params=params)
    assert 400 == answer.status_code, answer.text
    assert answer.json()["detail"]

"""A whole queue whose repository is on a pretend GitHub: Jules pushes, checks report, requests merge."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.github_stand_in import git_merges
from tests.github_stand_in.forge import REPO, github_forge
from tests.queue_world import Crash, QueueWorld
from tests.ready_store import put_ready_store

from jules_job_manager.adapters.backends.simulator import git_work
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from
from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.orchestration import Policy

pytestmark = pytest.mark.integration
POLICY = Policy(concurrency=0, approve="always", merge_patience=timedelta(minutes=10))
ROUNDS = {
    "match": "x",
    "rounds": [{"files": {"a.txt": "wrong\n"}}, {"files": {"a.txt": "right\n"}}],
}


class Place:
    """A queue on real git, and the GitHub that it merges on."""

    def __init__(self, root: Path, store: Any, **options: Any) -> None:
        git_work.make_sample(root / "demo.git")
        self.remote = root / "demo.git"
        self.store = store
        scenario = {"task": [ROUNDS]}
        self.world = QueueWorld(store, scenario, policy=POLICY)
        self.world.simulator.close()
        self.world.simulator = Simulator.open(
            None, scenario=scenario_from(scenario), seed=1, speed=1,
            repositories={REPO: str(self.remote)}, clock=self.world.time,
        )  # fmt: skip
        self.forge, self.github = github_forge(root, clock=self.world.time, **options)
        self.world.git = self.world.pull_requests = self.forge
        self.repository = self.github.repositories[REPO]

    async def until(self, *said: str, seconds: float = 3600) -> Job:
        """Let time pass until the job stands like this; return it."""
        passed = 0.0
        while True:
            (job,) = await self.store.jobs.list_jobs()
            if job.status.value in said or passed > seconds:
                return job
            await self.world.run_for(30, every=30)
            passed += 30

    def head(self) -> str:
        """Return the commit that Jules pushed last."""
        branches = git_work.branches(str(self.remote))
        return next(commit for name, commit in branches.items() if name != "main")


@pytest.fixture
async def store(tmp_path, tmp_path_factory):
    opened = await open_sqlite(put_ready_store(tmp_path / "jjm.db"))
    yield opened
    await opened.aclose()
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


async def test_a_required_check_is_waited_for_and_then_rejects_and_then_lets_it_pass(
    tmp_path, store
):
    """The job says what it waits for; the failure and a person's word go to Jules; the repair is merged."""
    place = Place(tmp_path, store, required_checks=("build",), merge_method="squash")
    await place.world.open()
    await place.world.add(Job(key="a", title="A", prompt="x"))
    job = await place.until("merging")
    await place.world.run_for(300, every=10)
    (job,) = await store.jobs.list_jobs()
    assert (JobStatus.MERGING, "waits: required checks of GitHub: build has not begun") == (
        job.status, job.reason
    )  # fmt: skip
    assert 0 == place.github.count("PUT")
    assert len(place.github.requests) < 80
    first = place.head()
    place.repository.add_run(first, "build", "failure", summary="a.txt is wrong")
    place.repository.issue_comments.append(place.github.comment("Please say right"))
    job = await place.until("running")
    await place.world.run_for(300, every=30)
    texts = str(place.world.simulator.sessions()) + "\n".join(place.world.said)
    events = str([event.data for event in await store.events.read()])
    assert "Check failed: GitHub check: build" in events, texts
    assert "a.txt is wrong" in events
    assert "Please say right" in events
    assert place.head() != first
    place.repository.add_run(place.head(), "build", "success")
    job = await place.until("done")
    assert (JobStatus.DONE, git_merges.head(place.remote, "main")) == (job.status, job.merge_commit)
    assert "right" == git_merges.git(place.remote, "show", "main:a.txt")
    reports = [c for c in place.repository.issue_comments if "jjm:report" in c["body"]]
    assert [1] == [comment["issue"] for comment in reports]
    place.world.close()


@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_a_kill_between_merge_and_record(tmp_path, store, method, deletes):
    """The next run finds the merged pull request, checks nothing again, and merges nothing twice."""
    place = Place(tmp_path, store, merge_method=method)
    place.repository.deletes_branches = deletes
    real = place.forge.push_merge

    async def once(*arguments: Any, **named: Any) -> Any:
        place.forge.push_merge = real
        await real(*arguments, **named)
        raise Crash

    place.forge.push_merge = once
    await place.world.open()
    await place.world.add(Job(key="a", title="A", prompt="x"))
    job = await place.until("done")
    assert (JobStatus.DONE, git_merges.head(place.remote, "main")) == (job.status, job.merge_commit)
    assert 1 == place.world.crashes
    assert 1 == place.github.count("PUT")
    assert 1 == len(await store.jobs.list_reviews("a"))
    place.world.close()


async def test_what_branch_protection_wants_is_told_and_in_the_end_asked_for(tmp_path, store):
    """The job says GitHub's reason; after a time it needs a person, and merges once it may."""
    place = Place(tmp_path, store)
    place.repository.protection.approvals = 1
    await place.world.open()
    await place.world.add(Job(key="a", title="A", prompt="x"))
    job = await place.until("merging")
    await place.world.run_for(120, every=10)
    (job,) = await store.jobs.list_jobs()
    assert "At least 1 approving review is required" in job.reason
    assert place.github.count("PUT") < 7
    job = await place.until("needs_you")
    assert JobStatus.NEEDS_YOU is job.status
    place.repository.reviews.append(place.github.comment("", state="APPROVED"))
    job = await place.until("done")
    assert JobStatus.DONE is job.status
    place.world.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 9))  # a whole run makes so many
async def test_a_kill_at_any_request(tmp_path, store, number, after):
    """Before or after it took effect: one pull request, one merge, and the job is done."""
    place = Place(tmp_path, store, merge_method="squash")
    place.github.end_at = (number, after, Crash)
    await place.world.open()
    await place.world.add(Job(key="a", title="A", prompt="x"))
    job = await place.until("done")
    assert (JobStatus.DONE, git_merges.head(place.remote, "main")) == (job.status, job.merge_commit)
    assert 1 == place.world.crashes
    assert 1 == len(place.repository.pulls)
    assert "wrong" == git_merges.git(place.remote, "show", "main:a.txt")
    assert 1 == int(git_merges.git(place.remote, "rev-list", "--count", "main~1..main"))
    place.world.close()

"""Deliveries that wait for a base that moved: checked together, and fewer at a time when one is bad."""

from __future__ import annotations

import pytest
from tests.queue_world import QueueWorld

from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan

pytestmark = pytest.mark.integration


class Suite:
    """A suite that counts its runs, and fails while two files are there that do not go together."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self, command, *, folder, **_):
        self.runs += 1
        bad = all((folder / name).exists() for name in ("C.txt", "D.txt"))
        conclusion = Conclusion.FAILURE if bad else Conclusion.SUCCESS
        return CheckResult(name=command, conclusion=conclusion, command=command)


async def played(store, suite, keys, **policy):
    """Let jobs be worked at that all deliver at once."""
    scenario = {
        "timing": {"queued": 1, "planning": 1, "step": 1},
        "task": [{"match": f"Do {key}", "rounds": [{"files": {f"{key}.txt": "1"}}]} for key in keys],
    }  # fmt: skip
    world = QueueWorld(
        store, scenario, runner=suite, policy=Policy(approve="always", concurrency=0, **policy),
        review=ReviewPlan(checks=(CommandCheck(command="make test"),), rules={"all": "off"}),
    )  # fmt: skip
    await world.open()
    try:
        await world.add(*(Job(key=key, title=key, prompt=f"Do {key}.", position=n)
                          for n, key in enumerate(keys)))  # fmt: skip
        await world.run_for(600, every=20)
        merged = set(world.git.nodes[world.git.refs["octo/demo"]["main"]].files)
    finally:
        world.close()
    jobs = {job.key: job for job in await store.jobs.list_jobs()}
    return world, jobs, merged


async def test_all_are_merged_after_two_rounds_of_checks(store):
    """Each alone, the first merged, and the other three once more, together."""
    suite = Suite()
    keys = "ABCE"
    world, jobs, merged = await played(store, suite, keys)
    assert {JobStatus.DONE} == {jobs[key].status for key in keys}
    assert {f"{key}.txt" for key in keys} <= merged
    assert len(keys) + 1 == suite.runs
    together = [line for line in world.said if "together with" in line]
    assert any("C, E" in line or "B, C" in line or "C, B" in line for line in together)


async def test_the_one_that_breaks_the_others_is_found(store):
    """It is sent back alone; those that do not touch it are merged."""
    suite = Suite()
    world, jobs, merged = await played(store, suite, "ABCDE", max_feedback_rounds=0, max_attempts=1)
    done = {key for key, job in jobs.items() if job.status is JobStatus.DONE}
    assert {"A", "B", "E"} < done
    assert 1 == len(done & {"C", "D"})
    (failed,) = set("ABCDE") - done
    assert (JobStatus.FAILED, "check failed: make test (after 0 rounds)") == (
        jobs[failed].status, jobs[failed].reason,
    )  # fmt: skip
    assert 1 == len({"C.txt", "D.txt"} & merged)
    assert any("not accepted (together with" in line for line in world.said)

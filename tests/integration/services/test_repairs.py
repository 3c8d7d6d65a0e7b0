"""A rejected delivery on its way: sent back, in circles, begun afresh with what is there, given up."""

from __future__ import annotations

import pytest
from tests.queue_world import QueueWorld

from jules_job_manager.domain.decision_rules import MergeRule
from jules_job_manager.domain.job import AttemptState, Job, JobFile, JobStatus
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.services.interventions import Interventions

pytestmark = pytest.mark.integration
FILES = (JobFile(path="promised.txt", action="create"),)
WRONG, OTHER, GOOD = {"a.txt": "1"}, {"a.txt": "2"}, {"promised.txt": "1"}


def rounds(*deliveries):
    """Return a job and a Jules that delivers these, one after each feedback."""
    scenario = {"task": [{"match": "circle", "rounds": [{"files": files} for files in deliveries]}]}
    return Job(key="J", title="J", prompt="Do circle.", files=FILES), scenario


async def played(store, deliveries, **policy):
    """Let the queue work until nothing moves; return the tasks, the job and its attempts."""
    job, scenario = rounds(*deliveries)
    world = QueueWorld(store, scenario, policy=Policy(approve="always", **policy))
    await world.open()
    try:
        await world.add(job)
        await world.run_for(3600, every=60)
        sessions = world.sessions()[::-1]
    finally:
        world.close()
    return sessions, await store.jobs.get_job("J"), await store.jobs.list_attempts("J")


async def test_one_that_mends_itself_is_merged(store):
    """One round of feedback, no second task."""
    _, job, attempts = await played(store, [WRONG, GOOD])
    assert (JobStatus.DONE, [1]) == (job.status, [a.feedback_rounds for a in attempts])


async def test_going_in_circles_ends_the_attempt_early(store):
    """The third delivery is the first again: no further round, but a new task with what is there."""
    tasks, job, attempts = await played(
        store, [WRONG, OTHER, WRONG, OTHER, WRONG], max_feedback_rounds=5, max_attempts=2
    )
    assert JobStatus.FAILED is job.status
    assert "goes in circles" in job.reason
    assert "check failed: promised-files" in job.reason
    assert [(AttemptState.REPLACED, 2), (AttemptState.FAILED, 2)] == [
        (a.state, a.feedback_rounds) for a in attempts
    ]
    second = tasks[1]["prompt"]
    assert "An earlier attempt was not accepted" in second
    assert "promised-files" in second
    assert "diff --git a/a.txt" in second


async def test_when_rounds_are_used_up_the_next_attempt_gets_the_work(store):
    """What was wrong in the end comes with it, and the old task is archived."""
    tasks, job, attempts = await played(
        store, [WRONG, OTHER], max_feedback_rounds=1, max_attempts=2
    )
    assert (JobStatus.FAILED, 2) == (job.status, len(attempts))
    assert "after 1 round)" in job.reason
    assert attempts[0].mark == attempts[1].carries
    assert "diff --git a/a.txt" in tasks[1]["prompt"]
    assert tasks[0]["archived"]


async def test_a_merge_that_is_left_to_a_person(store):
    """It waits until somebody says so; the approval is of that commit."""
    job, scenario = rounds(GOOD)
    rule = MergeRule(name="promises", decision="ask", any_paths=("promised*",))
    world = QueueWorld(store, scenario, policy=Policy(approve="always", merge_rules=(rule,)))
    await world.open()
    try:
        await world.add(job)
        await world.run_for(900, every=60)
        waiting = await store.jobs.get_job("J")
        assert JobStatus.NEEDS_YOU is waiting.status
        assert "merge rule promises; 1 files, 1 lines" in waiting.reason
        approved = await Interventions(store=store, clock=world.clock).approve_merge(waiting)
        await world.run_for(120, every=30)
    finally:
        world.close()
    done = await store.jobs.get_job("J")
    (attempt,) = await store.jobs.list_attempts("J")
    assert (JobStatus.DONE, approved.delivered_commit) == (done.status, attempt.delivered_commit)
    with pytest.raises(InvalidInputError, match="nothing waits to be merged"):
        await Interventions(store=store, clock=world.clock).approve_merge(done)

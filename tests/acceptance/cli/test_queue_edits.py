"""A person edits the backlog while the queue runs."""

from __future__ import annotations

import asyncio

import pytest
from tests.kill_hunt import RUN, with_store
from tests.kill_world import World, until

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def jobs_of(world):
    found = asyncio.run(with_store(world, lambda store: store.jobs.list_jobs()))
    return {job.key: job for job in found}


def test_edits_made_while_it_runs_count(tmp_path):
    """A new job runs too; one that is marked complete by hand is left alone; both marks stay."""
    world = World(tmp_path, jobs=3, is_counted=True)
    *known, more = world.entries
    world.backlog.write_text("# Jobs\n\n" + "\n".join(e.as_backlog() for e in known))
    with world.jules():
        world.import_backlog()
        program = world.start(*RUN, "--watch")
        until("work", lambda: all(job.task_id for job in jobs_of(world).values()))
        text = world.backlog.read_text()
        before, key, after = text.partition("### Task 2")
        status = after[after.index("**Status**") :].splitlines()[0]
        world.backlog.write_text(
            before + key + after.replace(status, "**Status**: Complete") + more.as_backlog()
        )
        until("the new job", lambda: jobs_of(world).get("Task 3") is not None)
        until("all done", lambda: all(j.status.is_final for j in jobs_of(world).values()))
        program.press_ctrl_c()
        assert 0 == program.wait() or program.process.returncode == 8, program.text
        assert "was edited: Task 3 added; Task 2 changed" in program.text
        assert "the document calls it complete" == jobs_of(world)["Task 2"].reason
        written = world.backlog.read_text()
        assert "**Status**: Complete" in written.partition("### Task 2")[2]
        assert "sent back to Jules, round 1" in program.text  # it is the new job's story
        assert {"Task 1", "Task 3"} == {k for k, job in jobs_of(world).items() if job.merge_commit}

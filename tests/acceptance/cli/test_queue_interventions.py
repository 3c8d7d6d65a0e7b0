"""What a person does to jobs: adopt a task, retry, and one run at a time."""

from __future__ import annotations

import json

import pytest
from filelock import FileLock

pytestmark = [pytest.mark.integration]
BACKLOG = """### Task 1: First
**Status**: 🔄 In Progress
**Prompt**: Add a greeting

### Task 2: Second
**Status**: ❌ Failed
**Prompt**: Add another
"""


@pytest.fixture
def queue(jjm, tmp_path):
    (tmp_path / "b.md").write_text(BACKLOG)
    jjm("queue", "import", "b.md", "--repo", "octo/sample")
    return lambda fields="key,status,task_id,reason": json.loads(
        jjm("queue", "list", "--json", fields).stdout
    )


@pytest.mark.both_ways
def test_a_job_begun_elsewhere_is_adopted_and_never_started(jjm, queue):
    """It says what to do; with its task named it goes on, and only once."""
    assert "jjm queue adopt KEY TASK" in queue()[0]["reason"]
    assert "Task 1" not in jjm("queue", "run", "--dry-run").stdout
    jjm("queue", "run", "--remote", "octo/sample=/nowhere", expect=1)
    assert [] == json.loads(jjm("list", "--json", "id").stdout)
    task = jjm("create", "--repo", "octo/sample", "--description", "Add a greeting").stdout.strip()
    said = jjm("queue", "adopt", "task 1", task).stdout
    assert f"Task 1 goes on with task {task}: jjm queue run\n" == said
    assert ("running", task, "") == tuple(queue("status,task_id,reason")[0].values())
    again = jjm("queue", "adopt", "Task 1", task, expect=1).stderr
    assert f"Task 1 already has {task} at work" in again
    assert "belongs to Task 1" in jjm("queue", "adopt", "Task 2", task, expect=1).stderr
    assert "There is no task" in jjm("queue", "adopt", "Task 2", "123456", expect=1).stderr


@pytest.mark.both_ways
def test_retry_makes_a_failed_job_ready(jjm, queue):
    """Only failed and cancelled jobs run again."""
    assert "failed" == queue()[1]["status"]
    assert "Task 2 is ready again: jjm queue run\n" == jjm("queue", "retry", "Task 2").stdout
    assert "ready" == queue()[1]["status"]
    assert "only failed and cancelled" in jjm("queue", "retry", "Task 2", expect=1).stderr
    assert "There is no job" in jjm("queue", "retry", "Task 9", expect=1).stderr


def test_one_run_at_a_time(jjm, queue, tmp_path):
    """A second run says so instead of working on the same jobs."""
    with FileLock(tmp_path / "home" / "queue-run.lock"):
        done = jjm("queue", "run", "--remote", "octo/sample=/nowhere", expect=1)
    assert "Another worker is at work on this queue" in done.stderr

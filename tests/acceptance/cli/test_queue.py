"""The main job: a backlog becomes merged, checked code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DATA = Path(__file__).parents[2] / "data"


def test_the_demo(jjm, tmp_path):
    """The demo rejects, repairs and merges, and leaves the refused plan to a person."""
    done = jjm("demo", "--keep", str(tmp_path / "demo"), JJM_BACKEND="")
    assert "rejected: promised files exist" in done.stdout
    assert "sent back to Jules, round 1" in done.stdout
    assert "DROP TABLE" in done.stdout
    assert 3 == done.stdout.count("merged into main as")
    origin = tmp_path / "demo" / "origin.git"
    tree = subprocess.run(
        ["git", "-C", origin, "ls-tree", "-r", "--name-only", "main"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "atlas/services/task_service.py" in tree.stdout
    backlog = (tmp_path / "demo" / "backlog.md").read_text()
    assert 3 == backlog.count("**Status**: ✅ Complete")


def test_a_stopped_run_goes_on_without_doubling(jjm, tmp_path):
    """A queue that was run before is run again: no second task, no second merge."""
    demo = tmp_path / "demo"
    jjm("demo", "--keep", str(demo), JJM_BACKEND="")
    environ = {
        "JJM_HOME": str(demo / "home"),
        "JJM_SIMULATOR__SCENARIO": str(demo / "scenario.toml"),
    }
    origin = demo / "origin.git"
    before = subprocess.run(
        ["git", "-C", origin, "rev-parse", "main"], capture_output=True, check=True
    ).stdout
    jjm(
        "queue", "run", "--remote", f"octo/atlas={origin}", "--approve", "ask", "--interval", "0.05",
        expect=8, **environ,
    )  # fmt: skip
    assert (
        before
        == subprocess.run(
            ["git", "-C", origin, "rev-parse", "main"], capture_output=True, check=True
        ).stdout
    )
    tasks = json.loads(jjm("list", "--json", "title", **environ).stdout)
    assert 4 == len(tasks)


def test_the_seed_documents(jjm, tmp_path):
    """Both documents import as they stand and come back byte for byte."""
    queue, tickets = DATA / "jules-task-queue.md", DATA / "jules-job-manager-tickets.md"
    jjm("queue", "import", str(queue))
    jjm("queue", "import", str(tickets))
    jobs = json.loads(jjm("queue", "list", "--json", "key,status,prompt,depends_on").stdout)
    assert 5 + 62 == len(jobs)
    by_key = {job["key"]: job for job in jobs}
    assert ["ready", "ready", "draft", "draft", "draft"] == [
        by_key[f"Task {n}"]["status"] for n in range(1, 6)
    ]
    assert "Please commit incrementally" in by_key["Task 2"]["prompt"]
    assert ["JJM-001", "JJM-002"] == by_key["JJM-005"]["depends_on"]
    copy = tmp_path / "copy.md"
    jjm("queue", "export", str(queue), "--output", str(copy))
    assert queue.read_bytes() == copy.read_bytes()


def test_a_dry_run_and_a_missing_repository(jjm, tmp_path):
    """What would start is told; a queue whose repository nobody knows is not started."""
    jjm("queue", "import", str(DATA / "jules-task-queue.md"))
    assert "--repo" in jjm("queue", "run", expect=1).stderr
    shown = jjm("queue", "run", "--repo", "octo/sample", "--dry-run").stdout
    assert "Task 1\twould start\nTask 2\twould start\n" == shown
    assert [] == json.loads(jjm("list", "--json", "id").stdout)

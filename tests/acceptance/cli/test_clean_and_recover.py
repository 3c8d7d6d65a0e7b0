"""Cleaning up after a queue, and bringing work back, as a user types it."""

from __future__ import annotations

import json
import subprocess

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]
BACKLOG = """### Task 1: First
**Status**: 📋 Ready
**Prompt**: Add a greeting
"""
SCENARIO = """
[[task]]
match = "greeting"
branch = "greet"
rounds = [{ files = { "greet.py" = "print('hello')\\n" } }]

[[task]]
match = "loose"
outputs = ["change_set"]
rounds = [{ files = { "loose.py" = "loose = True\\n" } }]
"""
PERSON = ["-c", "user.name=T", "-c", "user.email=t@example.com"]


@pytest.fixture
def merged(jjm, tmp_path):
    """Run a queue of one job to its end; return how to call jjm, and a clone of the repository."""
    bare, clone = tmp_path / "demo.git", tmp_path / "clone"
    (tmp_path / "s.toml").write_text(SCENARIO)
    (tmp_path / "b.md").write_text(BACKLOG)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text(f'[remotes]\n"octo/demo" = "{bare}"\n')
    for words in (
        ["init", "-q", "--bare", "-b", "main", bare],
        ["clone", "-q", bare, clone],
        ["-C", clone, *PERSON, "commit", "-q", "--allow-empty", "-m", "root"],
        ["-C", clone, "push", "-q", "origin", "HEAD:main"],
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)

    def call(*words: str, **more):
        return jjm(*words, JJM_SIMULATOR__SCENARIO=str(tmp_path / "s.toml"), **more)

    call("queue", "import", "b.md", "--repo", "octo/demo")
    call("queue", "run", "--approve", "always", "--interval", "0.05")
    return call, clone


def _branches(clone) -> str:
    command = ["git", "-C", clone, "for-each-ref", "--format=%(refname:short)", "refs/heads"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_merged_task_is_cleaned_up_and_its_work_can_be_brought_back(merged):
    """First told, then archived, then deleted; what the store kept makes a branch."""
    call, clone = merged
    (task,) = (t["id"] for t in json.loads(call("list", "--json", "id").stdout))
    planned = call("queue", "clean", "--dry-run")
    assert f"{task}\tTask 1\twould archive\tits work is in main\n" == planned.stdout
    assert "1 would archive. Nothing was changed.\n" == planned.stderr
    fields = "task_id,job,action,reason,done,failed"
    (step,) = json.loads(call("queue", "clean", "--json", fields).stdout)
    assert {
        "task_id": task, "job": "Task 1", "action": "archive", "reason": "its work is in main",
        "done": True, "failed": False,
    } == step  # fmt: skip
    assert "There is nothing to clean up" in call("queue", "clean").stderr
    refused = call("queue", "clean", "--delete", expect=1).stderr
    assert "Say so with --yes" in refused
    done = call("queue", "clean", "--delete", "--yes").stdout
    assert f"{task}\tTask 1\tdeleted\tits work is in main\n" == done
    assert [] == json.loads(call("list", "--json", "id").stdout)
    branch = f"recovered/task-1-{task}"
    said = call("recover", "task 1", "--repo-path", str(clone), JJM_BACKEND="")
    assert f"Branch {branch} holds the work of task {task}" in said.stdout
    assert branch in _branches(clone)
    again = call("recover", "Task 1", "--repo-path", str(clone), expect=1).stderr
    assert "is not overwritten" in again


def test_a_task_without_a_branch_or_a_job_is_recovered_by_its_id(merged, tmp_path):
    """Its patch may be saved too, never over a file; what does not fit is saved by itself."""
    call, clone = merged
    task = call("create", "--repo", "octo/demo", "--description", "loose").stdout.strip()
    call("monitor", task, "--interval", "0.05")
    call("get", task)
    subprocess.run(["git", "-C", clone, "fetch", "-q"], check=True)
    words = ("recover", "--task", task, "--repo-path", str(clone))
    tried = call(*words, "--dry-run").stdout
    assert f"Would make branch recovered/task-{task} on " in tried
    done = call(*words, "--branch", "loose", "--patch-to", "p.patch")
    assert "Branch loose holds the work" in done.stdout
    assert "+loose = True" in (tmp_path / "p.patch").read_text()
    assert "loose\n" in _branches(clone)
    assert "not overwritten" in call(*words, "--patch-to", "p.patch", expect=1).stderr
    assert "Say whose work" in call("recover", expect=1).stderr
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path / "other"], check=True)
    (tmp_path / "other" / "loose.py").write_text("mine\n")
    subprocess.run(["git", "add", "."], cwd=tmp_path / "other", check=True)
    subprocess.run(["git", *PERSON, "commit", "-qm", "x"], cwd=tmp_path / "other", check=True)
    bad = call("recover", "--task", task, "--repo-path", "other", expect=1).stderr
    assert "warning: no remote of other is octo/demo." in bad
    assert "conflicts in loose.py" in bad
    saved = tmp_path / "home" / "recovered" / f"{task}.patch"
    assert f"The patch is saved as {saved}." in bad
    assert "+loose = True" in saved.read_text()

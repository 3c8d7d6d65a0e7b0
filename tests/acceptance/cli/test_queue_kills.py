"""A run that is killed at any instant and started again loses nothing and doubles nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
from tests.warm_program import run_jjm

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KILLED_AT = """
import importlib, os, signal, sys

target, when, nth, *words = sys.argv[1:]
module, _, path = target.partition(":")
owner = importlib.import_module("jules_job_manager." + module)
*parents, name = path.split(".")
for parent in parents:
    owner = getattr(owner, parent)
original, calls = getattr(owner, name), 0


async def watched(*args, **options):
    global calls
    calls += 1
    if (when, str(calls)) == ("before", nth):
        os.kill(os.getpid(), signal.SIGKILL)
    result = await original(*args, **options)
    if (when, str(calls)) == ("after", nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return result


setattr(owner, name, watched)
from jules_job_manager.cli.main import main

sys.argv = ["jjm", *words]
sys.exit(main())
"""
BACKLOG = """# Two jobs

### Task 1: First
**Status**: Ready
**Dependencies**: None

**Prompt**:
```
Make one.txt and two.txt.

FILES TO CREATE:
- one.txt (NEW)
- two.txt (NEW)
```

**Checklist**:
- [ ] one.txt and two.txt exist
- [ ] It is beautiful

### Task 2: Second
**Status**: Ready
**Dependencies**: Task 1
**Prompt**: Make three.txt.
"""
SCENARIO = """
[timing]
queued = 1
planning = 1
step = 1
answer = 1

[[task]]
match = "Task 1"
plan = ["Work"]
branch = "first"
[[task.rounds]]
message = "Half of it"
[task.rounds.files]
"one.txt" = "1"
[[task.rounds]]
message = "The other half"
[task.rounds.files]
"two.txt" = "2"

[[task]]
match = "Task 2"
plan = ["Work"]
branch = "second"
[[task.rounds]]
message = "All of it"
[task.rounds.files]
"three.txt" = "3"
"""
JOBS = "adapters.storage.sql.job_rows:SqlJobStore"
REVIEWS = "adapters.storage.sql.review_rows:SqlReviewQueue"
POINTS = [
    ("adapters.backends.rest.backend:RestBackend.create_task", "before", 1),
    ("adapters.backends.rest.backend:RestBackend.create_task", "after", 1),
    ("adapters.backends.rest.backend:RestBackend.create_task", "after", 2),
    ("adapters.backends.rest.backend:RestBackend.approve_plan", "after", 1),
    ("adapters.backends.rest.backend:RestBackend.send_message", "before", 1),
    ("adapters.backends.rest.backend:RestBackend.send_message", "after", 1),
    ("adapters.forges.local:LocalGitForge.push_merge", "before", 1),
    ("adapters.forges.local:LocalGitForge.push_merge", "after", 1),
    ("adapters.forges.local:LocalGitForge.push_merge", "after", 2),
    (f"{REVIEWS}.finish", "before", 1),
    (f"{REVIEWS}.finish", "after", 2),
    ("services.backlogs:BacklogService.write_back", "before", 2),
    *((f"{JOBS}.swap_jobs", "after", n) for n in (3, 6, 8, 11)),
]


def git(folder, *words):
    person = {f"GIT_{who}_{k}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        ["git", *words], cwd=folder, env={"PATH": os.environ["PATH"], **person}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize(("target", "when", "nth"), POINTS)
def test_killed_and_started_again(jjm, tmp_path, target, when, nth):
    """Every job is merged once, by one task, with each message sent once."""
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "-b", "main", "seed")
    git(tmp_path / "seed", "commit", "-q", "--allow-empty", "-m", "Begin")
    git(tmp_path, "clone", "-q", "--bare", "seed", str(origin))
    backlog, scenario = tmp_path / "backlog.md", tmp_path / "scenario.toml"
    backlog.write_text(BACKLOG)
    scenario.write_text(SCENARIO)
    environ = {"JJM_SIMULATOR__SCENARIO": str(scenario), "JJM_SIMULATOR__SPEED": "100"}
    jjm("queue", "import", str(backlog), "--repo", "octo/atlas", **environ)
    words = ["queue", "run", "--remote", f"octo/atlas={origin}", "--approve", "policy", "--check", "true",
             "--interval", "0.02"]  # fmt: skip
    killed = run_jjm(
        [target, when, str(nth), *words], code=KILLED_AT, cwd=tmp_path, seconds=60,
        env={"PATH": os.environ["PATH"], "JJM_HOME": str(tmp_path / "home"),
             "JJM_BACKEND": "simulator", "JJM_REVIEW__SANDBOX": "host", **environ},
    )  # fmt: skip
    assert -signal.SIGKILL == killed.returncode, killed.stdout + killed.stderr
    jjm(*words, **environ)
    jobs = json.loads(jjm("queue", "list", "--json", "status,checklist,merge_commit").stdout)
    assert ["done", "done"] == [job["status"] for job in jobs]
    assert [True, False] == [item["checked"] for item in jobs[0]["checklist"]]
    subjects = git(origin, "log", "--merges", "--format=%s", "main").splitlines()
    assert ["Merge Task 2: Second", "Merge Task 1: First"] == subjects
    merges = git(origin, "log", "--merges", "--format=%H", "main").splitlines()
    assert [job["merge_commit"] for job in reversed(jobs)] == merges
    tasks = json.loads(jjm("list", "--json", "id,title").stdout)
    assert 2 == len(tasks)
    for task in tasks:
        chat = json.loads(jjm("get", task["id"], "--json", "chat_history").stdout)["chat_history"]
        assert ("Task 1" in task["title"]) == sum(m["type"] == "user" for m in chat)
    text = backlog.read_text()
    assert 2 == text.count("**Status**: Complete")
    assert "- [x] one.txt and two.txt exist\n- [ ] It is beautiful\n" in text

"""What commands change stands in the audit log: the same words here as through a service."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.environment import bare_environment
from tests.servers import private_postgresql
from tests.service_thread import running_service

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]
BACKLOG = """### Task 1: First
**Status**: 📋 Ready
**Prompt**: Add a greeting

### Task 2: Second
**Status**: 📋 Ready
**Prompt**: Add a farewell
"""
FIELDS = "number,actor,kind,operation,resource,result,address,before,after"


def _entries(jjm):
    """Return the entries oldest first, without those of keys that a service makes for itself."""
    found = json.loads(jjm("audit", "query", "--json", FIELDS).stdout)
    return [entry for entry in reversed(found) if entry["operation"].startswith("api.")]


def _is(entry):
    """Return what is told of how it is; over HTTP a status stands beside it."""
    return (entry["after"] or {}).get("is")


@pytest.mark.both_ways
def test_each_change_is_told(jjm, tmp_path):
    """Names, resources, before and after are the same both ways; reading and dry runs leave nothing."""
    (tmp_path / "b.md").write_text(BACKLOG)
    jjm("queue", "import", "b.md", "--repo", "o/r", "--dry-run")
    jjm("queue", "import", "b.md", "--repo", "o/r")
    jjm("queue", "hold", "Task 1", "--reason", "not yet")
    jjm("queue", "release", "Task 1")
    jjm("queue", "pin", "Task 2")
    jjm("queue", "move", "Task 2", "--top")
    jjm("queue", "schedule", "Task 1", "--best-of", "2")
    jjm("queue", "skip", "Task 2")
    jjm("queue", "retry", "Task 2")
    jjm("queue", "cancel", "Task 2")
    jjm("queue", "pause", "--reason", "lunch")
    jjm("queue", "resume")
    for words in (("queue", "list"), ("queue", "status"), ("queue", "show", "Task 1")):
        jjm(*words)
    task = jjm(
        "create", "-d", "Add a test", "--repo", "octo/sample", "--require-approval"
    ).stdout.strip()
    jjm("message", task, "Mind the tests")
    jjm("message", "--dry-run", task, "Mind the tests")
    jjm("archive", task)
    jjm("queue", "adopt", "Task 1", task)
    jjm("delete", task, "--dry-run")
    jjm("delete", task, "--yes")
    hook = jjm("webhook", "create", "https://hooks.example.org/x").stdout.split("\t")[0]
    jjm("webhook", "update", hook, "--description", "mine")
    jjm("webhook", "delete", hook)
    entries = [e for e in _entries(jjm) if e["result"] == "done" and _is(e) != _dry(e)]
    job, queue = "job:Task ", "queue"
    assert [
        ("import_backlog", "backlog"), ("hold_job", job + "1"), ("release_job", job + "1"),
        ("update_job", job + "2"), ("move_job", job + "2"), ("update_job", job + "1"),
        ("skip_job", job + "2"), ("retry_job", job + "2"), ("cancel_job", job + "2"),
        ("pause_queue", queue), ("resume_queue", queue), ("create_task", f"task:{task}"),
        ("send_message", f"task:{task}"), ("update_task", f"task:{task}"),
        ("adopt_task", job + "1"), ("delete_task", f"task:{task}"),
        ("create_webhook", f"webhook:{hook}"), ("update_webhook", f"webhook:{hook}"),
        ("delete_webhook", f"webhook:{hook}"),
    ] == [
        (e["operation"].removeprefix("api."), e["resource"].split(":")[0]
         if e["resource"].startswith("backlog:") else e["resource"])
        for e in entries
    ]  # fmt: skip
    told = {e["operation"].removeprefix("api."): e for e in entries}
    assert ["Task 1", "Task 2"] == _is(told["import_backlog"])["added"]
    assert ({"held": ""}, {"held": "not yet"}) == (
        {"held": told["hold_job"]["before"]["held"]}, {"held": _is(told["hold_job"])["held"]},
    )  # fmt: skip
    assert ({"place": 1}, {"place": 1}) == (told["move_job"]["before"], _is(told["move_job"]))
    assert "cancelled" == _is(told["cancel_job"])["status"]
    assert ({"paused": "lunch"}, {"was_paused": True}) == (
        _is(told["pause_queue"]), _is(told["resume_queue"]),
    )  # fmt: skip
    assert ({"paused": ""}, {"paused": "lunch"}) == (
        told["pause_queue"]["before"], told["resume_queue"]["before"],
    )  # fmt: skip
    assert {"description": "Add a test", "require_plan_approval": True}.items() <= (
        _is(told["create_task"]).items()
    )
    assert {"message": "Mind the tests"} == _is(told["send_message"])
    assert ({"archived": False}, {"archived": True}) == (
        told["update_task"]["before"], _is(told["update_task"]),
    )  # fmt: skip
    gone = told["delete_task"]["before"]
    assert ("octo/sample", True) == (gone["repository"], gone["archived"])
    assert {"title", "status"} <= set(gone)
    assert "mine" == _is(told["update_webhook"])["description"]
    assert jjm("audit", "verify").stdout.startswith("ok\t")


def _dry(entry):
    """Return what a dry run that went through the API is told as; the entry is of the request."""
    found = _is(entry)
    return found if isinstance(found, dict) and found.get("dry_run") else "no dry run"


def test_who_did_it(jjm, tmp_path):
    """It is the user that the system knows, whatever the environment says, with no address."""
    (tmp_path / "b.md").write_text(BACKLOG)
    jjm("queue", "import", "b.md", "--repo", "o/r", USER="mallory", LOGNAME="mallory")
    (entry,) = _entries(jjm)
    assert ("local", "", "done") == (entry["kind"], entry["address"], entry["result"])
    user = subprocess.run(
        ["id", "-un"], capture_output=True, text=True, check=False
    ).stdout.strip()  # fmt: skip
    assert f"cli:{user or os.geteuid()}" == entry["actor"]
    assert "mallory" != getpass.getuser()


def test_what_failed_is_told_too(jjm, tmp_path):
    """An error of the change itself leaves its code; a key that does not exist changes nothing."""
    (tmp_path / "b.md").write_text(BACKLOG)
    jjm("queue", "import", "b.md", "--repo", "o/r")
    jjm("queue", "retry", "Task 1", expect=1)
    jjm("queue", "hold", "Task 9", expect=1)
    failed = _entries(jjm)[-1]
    assert ("api.retry_job", "job:Task 1", "failed") == (
        failed["operation"], failed["resource"], failed["result"],
    )  # fmt: skip
    assert {"error": "JJM010"} == failed["after"]


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request, tmp_path):
    """Return the environment of a store on each database."""
    environ = bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_RATE_LIMITS__ENABLED="false"
    )
    if request.param == "sqlite":
        yield environ
        return
    with private_postgresql() as server:
        if server is None:
            pytest.skip("no PostgreSQL: its binaries are not here, or this user has no name")
        yield {**environ, "JJM_STORAGE__BACKEND": "postgresql", "DATABASE_URL": server.address}


def test_commands_and_a_service_write_one_chain(home, tmp_path):
    """Both append at once, each several times; every entry is there, and the chain holds."""
    (tmp_path / "b.md").write_text(BACKLOG)

    def run(*words, **environ):
        done = subprocess.run(
            [sys.executable, "-m", "jules_job_manager", *words], env={**home, **environ},
            capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("queue", "import", "b.md", "--repo", "o/r")
    with running_service(home) as there:
        far = {
            "JJM_SERVER": there.address, "JJM_SERVER_KEY": there.key,
            "JJM_HOME": str(tmp_path / "far"), "JJM_STORAGE__BACKEND": "", "DATABASE_URL": "",
        }  # fmt: skip
        with ThreadPoolExecutor(4) as pool:
            runs = [
                pool.submit(run, "queue", "pause", "--reason", str(number), **environ)
                for number in range(6)
                for environ in ({}, far)
            ]
        assert all(one.result() for one in runs)
    entries = json.loads(run("audit", "query", "--operation", "api.pause_queue", "--json", FIELDS))
    reasons = sorted((e["kind"], e["after"]["is"]["paused"]) for e in entries)
    assert [(kind, str(n)) for kind in ("key", "local") for n in range(6)] == reasons
    assert run("audit", "verify").startswith("ok\t")

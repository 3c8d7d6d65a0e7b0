"""Commands through a service: the whole of a job with `--server`, and what a lost service does."""

from __future__ import annotations

import hashlib
import json
import subprocess

import httpx2
import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service
from tests.warm_program import run_jjm

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
"""
PERSON = ["-c", "user.name=T", "-c", "user.email=t@example.com"]


@pytest.fixture
def home(tmp_path):
    """Return the environment of a service that has a repository and a job to do for it."""
    bare, clone = tmp_path / "demo.git", tmp_path / "clone"
    (tmp_path / "s.toml").write_text(SCENARIO)
    (tmp_path / "b.md").write_text(BACKLOG)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text(
        f'[remotes]\n"octo/demo" = "{bare}"\n[queue]\npoll_interval_seconds = 0.1\n'
        'approve = "always"\n[notify]\nurls = ["json://127.0.0.1:9/"]\n'
    )
    for words in (
        ["init", "-q", "--bare", "-b", "main", bare],
        ["clone", "-q", bare, clone],
        ["-C", clone, *PERSON, "commit", "-q", "--allow-empty", "-m", "root"],
        ["-C", clone, "push", "-q", "origin", "HEAD:main"],
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)
    return bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_SIMULATOR__SPEED="2000",
        JJM_SIMULATOR__SCENARIO=str(tmp_path / "s.toml"), JJM_REVIEW__SANDBOX="host",
    )  # fmt: skip


@pytest.fixture
def far(tmp_path):
    """Return a function that runs a command in a home of its own, through a service."""

    def run(there, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        env = bare_environment(JJM_HOME=str(tmp_path / "far"), JJM_SERVER_KEY=there.key)
        command = (*words, "--server", there.address)
        done = run_jjm(command, env=env, cwd=tmp_path, seconds=200)
        assert expect == done.returncode, done.stdout + done.stderr
        return done

    return run


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Apprise, in the service's thread
def test_a_job_from_its_document_to_its_end(home, far, tmp_path):
    """Everything is done by a service with a worker; this machine has no store and no settings."""
    with running_service(home, **{"server.worker": True}) as there:
        far(there, "queue", "import", "b.md", "--repo", "octo/demo")
        refused = far(there, "queue", "run", "--interval", "1", expect=1).stderr
        assert "--interval means nothing here" in refused
        done = far(there, "queue", "run", "--json")
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert {"at", "job", "text", "rule"} == set(told[0])
        assert "Nothing more can move: 1 done." in done.stderr
        assert "[" not in done.stdout
        (task,) = (t["id"] for t in json.loads(far(there, "list", "--json", "id").stdout))
        assert "merged" in far(there, "queue", "story", "Task 1").stdout
        assert "accept" in far(there, "review", "Task 1").stdout.lower()
        shown = far(there, "review", "Task 1", "--format", "json").stdout
        again = far(there, "review", "Task 1", "--again", "--format", "json")
        assert "warning: no check commands are configured here" in again.stderr
        first, second = json.loads(shown), json.loads(again.stdout)
        assert "accept" == first["verdict"] == second["verdict"]
        assert first["delivered_commit"] == second["delivered_commit"]
        assert first["base_commit"] != second["base_commit"]
        refused = far(there, "review", "Task 1", "--again", "--check", "true", expect=1).stderr
        assert "--check means nothing here" in refused
        assert "checked again: accept" in far(there, "queue", "story", "Task 1").stdout
        assert "No command was run" in far(there, "review", "flaky").stderr
        assert "+print('hello')" in far(there, "patch", task).stdout
        assert "greet.py\n" == far(there, "diff", task, "--name-only").stdout
        recovered = far(there, "recover", "Task 1", "--repo-path", "clone").stdout
        assert f"Branch recovered/task-1-{task} holds the work of task {task}" in recovered
        planned = far(there, "queue", "clean", "--dry-run")
        assert f"{task}\tTask 1\twould archive\tits work is in main\n" == planned.stdout
        assert (
            "--remote means" in far(there, "queue", "clean", "--remote", "a/b=c", expect=1).stderr
        )
        cleaned = far(there, "queue", "clean", "--json", "task_id,done").stdout
        assert [{"task_id": task, "done": True}] == json.loads(cleaned)
        possible = far(there, "merge", "revert", "Task 1", "--dry-run").stdout
        assert "Task 1 could be taken back" in possible
        reverted = far(there, "merge", "revert", "Task 1", "--no-checks").stdout
        assert "Task 1 is taken back as" in reverted
        assert "cancelled" in far(there, "queue", "list").stdout
        assert "Checked 1 address." in far(there, "notify", "test", "--dry-run").stdout
        after = json.loads(
            far(
                there, "audit", "query", "--operation", "api.revert_job", "--json", "after,resource"
            ).stdout
        )
        assert ["job:Task 1"] * 2 == [entry["resource"] for entry in after]
        assert "merged" == after[0]["after"]["is"]["outcome"]
        health = far(there, "doctor").stdout
        assert "first-admin, admin" in health
        assert "The service runs the queue itself" in health


def test_nobody_runs_the_queue(home, far):
    """It says so in place of waiting for ever, and what would start is told."""
    with running_service(home) as there:
        far(there, "queue", "import", "b.md", "--repo", "octo/demo")
        assert "Task 1\twould start\n" == far(there, "queue", "run", "--dry-run").stdout
        done = far(there, "queue", "run", expect=8)
        assert "No worker runs this queue" in done.stderr
        assert "waiting for one for up to 15 s" in done.stderr
        assert "Nothing more can move: 1 ready." in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("config", "set", "queue.approve", "always"), "changes this machine's configuration file"),
        (("worker",), "store that this machine is set up for"),
        (("storage", "upgrade"), "changes the database"),
    ],
)
def test_what_is_about_this_machine_says_so(jjm, words, said):
    """The option is refused; the setting is nothing to it."""
    refused = jjm("--server", "http://127.0.0.1:9", *words, expect=1).stderr
    assert said in refused
    assert "Leave --server out" in refused


def test_the_settings_of_a_service(home, far, tmp_path, jjm):
    """With the option they are the service's, masked; JJM_SERVER alone leaves them this machine's."""
    shown = ("config", "show", "--json", "name,value,source,help")
    secret = {"JJM_NOTIFY__URLS": "json://user:s3cret-word@127.0.0.1:9/"}
    with running_service({**home, **secret}) as there:
        done = far(there, *shown)
        rows = {row["name"]: row for row in json.loads(done.stdout)}
        table = far(there, "config", "show")
    assert ("always", str(tmp_path / "home" / "config.toml")) == (
        rows["queue.approve"]["value"],
        rows["queue.approve"]["source"],
    )
    assert "********" == rows["notify.urls"]["value"]
    assert "s3cret" not in done.stdout + table.stdout
    assert f"Settings of the service at {there.address}\n" == table.stderr
    assert "queue.approve\talways\t" in table.stdout
    here = json.loads(jjm(*shown, JJM_SERVER=there.address).stdout)
    assert set(rows) >= {row["name"] for row in here}


def test_who_is_signed_in(home, far, jjm):
    """The same from both sides, without what the browser keeps; gone when the person is signed out."""
    with running_service(home) as there:
        assert "Nobody is signed in" in far(there, "key", "sessions").stderr
        link = far(there, "key", "link", "Ada", "--role", "viewer").stdout
        token = link.strip().partition("token=")[2]
        answer = httpx2.post(f"{there.address}/sign-in", data={"token": token})
        assert 303 == answer.status_code
        kept = answer.cookies["jjm_session"]
        shown = (
            "key",
            "sessions",
            "--json",
            "id,name,role,origin,created_at,last_used_at,expires_at",
        )
        done = far(there, *shown)
        assert done.stdout == jjm(*shown).stdout
        (session,) = json.loads(done.stdout)
        assert ("Ada", "viewer", "link") == (session["name"], session["role"], session["origin"])
        assert session["created_at"] == session["last_used_at"] < session["expires_at"]
        assert kept.split("_", 2)[2] not in done.stdout
        assert hashlib.sha256(kept.split("_", 2)[2].encode()).hexdigest() not in done.stdout
        row = far(there, "key", "sessions").stdout.split("\t")
        assert [session["id"], "Ada", "viewer", "link"] == row[:4]
        far(there, "key", "revoke", "--person", "Ada")
        assert "[]\n" == far(there, *shown).stdout


def test_the_option_and_the_setting(jjm):
    """The option counts before the setting, on both sides of the command; empty, it works here."""
    away = "http://127.0.0.1:9"
    assert "JJM_SERVER" in jjm("config", "show", JJM_SERVER=away).stdout
    for words in (("--server", away, "queue", "status"), ("queue", "status", f"--server={away}")):
        assert "cannot be reached" in jjm(*words, expect=1).stderr
    assert "has no jobs" in jjm("queue", "status", "--server", "", JJM_SERVER=away).stderr
    assert "no address" in jjm("list", "--server", "ftp://x", expect=1).stderr
    assert "in clear text" in jjm("list", "--server", "http://example.org", expect=1).stderr
    assert "needs the address" in jjm("--server", expect=1).stderr
    found = json.loads(jjm("doctor", "--server", away, "--json", "check,ok", expect=1).stdout)
    assert [("configuration", True), ("service", False)] == [(f["check"], f["ok"]) for f in found]

"""A queue that merges on GitHub, as a user runs it: over HTTP, in a process of its own."""

from __future__ import annotations

import subprocess

import pytest
from tests.github_stand_in import GitHubWorld, create_app
from tests.kill_world import REPOSITORY, Entry, git
from tests.served_app import served

from jules_job_manager.adapters.system_clock import SystemClock

pytestmark = [pytest.mark.integration, pytest.mark.slow]
TOKEN = "token-of-a-test"


@pytest.fixture
def github(tmp_path):
    """Return a pretend GitHub with one repository, its address, and the variables that name it."""
    git(tmp_path, "init", "-q", "-b", "main", "seed")
    git(tmp_path / "seed", "commit", "-q", "--allow-empty", "-m", "Begin")
    git(tmp_path, "clone", "-q", "--bare", "seed", str(tmp_path / "origin.git"))
    world = GitHubWorld(SystemClock().now)
    world.add(REPOSITORY, tmp_path / "origin.git")
    with served(create_app(world)) as address:
        world.variables = {
            "GITHUB_TOKEN": TOKEN, "JJM_GITHUB__REPOSITORIES": REPOSITORY,
            "JJM_GITHUB__API_URL": address, "JJM_GITHUB__MERGE_METHOD": "squash",
        }  # fmt: skip
        yield world


def test_a_queue_is_merged_by_pull_requests(jjm, tmp_path, github):
    """Every job's request is merged by GitHub, its review is on it, and the token is nowhere."""
    entries = [Entry(number=1), Entry(number=3)]
    (tmp_path / "backlog.md").write_text("# Jobs\n\n" + "\n".join(e.as_backlog() for e in entries))
    (tmp_path / "scenario.toml").write_text("".join(e.as_scenario() for e in entries))
    variables = {**github.variables, "JJM_SIMULATOR__SCENARIO": str(tmp_path / "scenario.toml")}
    remote = f"{REPOSITORY}={tmp_path / 'origin.git'}"
    jjm("queue", "import", "backlog.md", **variables)
    done = jjm(
        "queue", "run", "--repo", REPOSITORY, "--remote", remote, "--approve", "always",
        "--interval", "0.05", **variables,
    )  # fmt: skip
    assert 2 == done.stdout.count("merged into main as")
    repository = github.repositories[REPOSITORY]
    assert 2 == sum(bool(pull["merged_at"]) for pull in repository.pulls)
    assert "sent back to Jules, round 1" in done.stdout
    reports = [c for c in repository.issue_comments if "jjm:report" in c["body"]]
    assert {1, 2} == {comment["issue"] for comment in reports}
    assert 2 == len(reports)
    listed = git(tmp_path / "origin.git", "ls-tree", "-r", "--name-only", "main").split()
    assert ["half/job-0003.txt", "out/job-0001.txt", "out/job-0003.txt"] == listed
    found = subprocess.run(
        ["grep", "-rlF", TOKEN, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ("", 1) == (found.stdout, found.returncode)
    assert TOKEN not in done.stdout + done.stderr


def test_the_doctor_asks_github(jjm, github):
    """It says what is left; a token that may not write, or that is none, is told with a way out."""
    said = jjm("doctor", **github.variables).stdout
    assert f"{REPOSITORY}; 49" in said
    github.repositories[REPOSITORY].may_push = False
    assert "may not write" in jjm("doctor", expect=1, **github.variables).stdout
    wrong = {**github.variables, "GITHUB_TOKEN": "another"}
    said = jjm("doctor", expect=1, **wrong).stdout
    assert "GITHUB_TOKEN" in said
    assert "another" not in said
    assert "not needed" in jjm("doctor").stdout


def test_a_queue_without_a_token_is_not_begun(jjm, tmp_path, github):
    """It says which variable to set."""
    variables = {**github.variables, "GITHUB_TOKEN": ""}
    (tmp_path / "backlog.md").write_text("# Jobs\n\n" + Entry(number=1).as_backlog())
    jjm("queue", "import", "backlog.md", **variables)
    said = jjm("queue", "run", "--repo", REPOSITORY, expect=1, **variables).stderr
    assert "GitHub needs a token." in said
    assert "Set GITHUB_TOKEN" in said

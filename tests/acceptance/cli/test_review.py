"""Reviewing branches and jobs from the command line, on a real repository."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]
HOST = {"JJM_REVIEW__SANDBOX": "host"}


@pytest.fixture
def repository(tmp_path):
    """A repository with a main branch that has a review file, an honest branch and one that is not."""
    folder = tmp_path / "work"
    person = {
        f"GIT_{w}_{k}": "t@example.org" for w in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")
    }

    def git(*words):
        subprocess.run(
            ["git", *words], cwd=folder, check=True, env={"PATH": os.environ["PATH"], **person},
            capture_output=True,
        )  # fmt: skip

    def commit(branch, files, message="x"):
        git("checkout", "-q", "-B", branch, "main")
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", message)

    folder.mkdir()
    git("init", "-q", "-b", "main")
    (folder / ".jjm.toml").write_text(
        "[[checks]]\nname = 'tests'\ncommand = 'python3 -m unittest discover -s tests -t .'\n"
        "proves = ['Tests pass']\n"
    )
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()
    (folder / "adding.py").write_text(
        '"""Adding."""\n\n\ndef add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n'
    )
    (folder / "tests" / "test_adding.py").write_text(
        "import unittest\n\nfrom adding import add\n\n\nclass AddTest(unittest.TestCase):\n"
        "    def test_add(self) -> None:\n        self.assertEqual(3, add(1, 2))\n"
    )
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    commit(
        "honest",
        {
            "taking.py": '"""Taking away."""\n\n\ndef take(a: int, b: int) -> int:\n    """Take."""\n    return a - b\n'
        },
    )
    commit("claims", {
        "service.py": '"""A service."""\n\nfrom adding import load\n\n\ndef names() -> list[str]:\n    """Return names."""\n    return load()\n',
        "tests/test_adding.py": "import unittest\n\nfrom adding import add\n\n\nclass AddTest(unittest.TestCase):\n"
        "    @unittest.skip('later')\n    def test_add(self) -> None:\n        self.assertEqual(3, add(1, 2))\n",
        ".jjm.toml": "[rules]\nall = 'off'\n",
    })  # fmt: skip
    return f"octo/adding={folder}"


def test_a_branch_is_judged_by_the_rules_of_its_base(jjm, repository):
    """The honest one is accepted; the other names what it invented, and cannot switch rules off."""
    good = jjm("review", "honest", "--remote", repository, **HOST).stdout
    assert good.startswith("✓ Accepted: honest")
    bad = jjm("review", "claims", "--remote", repository, expect=1, **HOST).stdout
    assert "✗ imports-resolve  failure" in bad
    assert "other checks did not fail (--full)" in bad
    assert "service.py:3" in bad
    assert "✗ tests-kept  failure" in bad
    assert "✗ protected-paths  failure" in bad
    found = json.loads(
        jjm("review", "claims", "--remote", repository, "--format", "json", expect=1, **HOST).stdout
    )
    tests = next(check for check in found["checks"] if check["name"] == "tests")
    assert ("success", 0, 64) == (tests["conclusion"], tests["exit_code"], len(tests["log_sha256"]))


def test_scanners_and_reviewers_have_a_say(jjm, repository, tmp_path):
    """One of the person's own and both scanners; each finding has its place in the report."""
    home = tmp_path / "own"
    home.mkdir()
    answer = {
        "protocol": 1, "verdict": "reject", "summary": "Not like this.",
        "findings": [{"path": "taking.py", "line": 4, "level": "error", "message": "no name"}],
    }  # fmt: skip
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    (home / "config.toml").write_text(
        f"[reviewers.style]\ncommand = 'cat {tmp_path}/answer.json'\nrequired = true\n"
    )
    words = ("review", "honest", "--remote", repository)
    own = {**HOST, "JJM_CONFIG": str(home / "config.toml")}
    said = jjm(*words, expect=1, **own).stdout
    assert "✗ reviewer style  failure" in said
    assert "taking.py:4" in said
    found = json.loads(jjm(*words, "--format", "json", expect=1, **own).stdout)
    conclusions = {check["name"]: check["conclusion"] for check in found["checks"]}
    assert ("success", "success") == (conclusions["security"], conclusions["secrets"])
    assert ["security", "secrets", "reviewer style"] == list(conclusions)[-3:]
    sarif = json.loads(jjm(*words, "--format", "sarif", expect=1, **own).stdout)
    assert "reviewer style" in {result["ruleId"] for result in sarif["runs"][0]["results"]}
    assert "reviewers.style" in jjm("config", "show", **own).stdout


def test_a_report_has_the_diff_with_the_findings(jjm, repository):
    """And a store without a queue is no hindrance."""
    words = ("review", "claims", "--remote", repository)
    json_store = {**HOST, "JJM_STORAGE__BACKEND": "json"}
    page = jjm(*words, "--format", "html", expect=1, **json_store).stdout
    assert "from adding import load" in page
    assert "<script" not in page
    full = jjm(*words, "--full", expect=1, **json_store).stdout
    assert "3 + from adding import load" in full
    sarif = json.loads(jjm(*words, "--format", "sarif", expect=1, **json_store).stdout)
    assert "imports-resolve" in {result["ruleId"] for result in sarif["runs"][0]["results"]}


@pytest.mark.both_ways
def test_what_cannot_be_reviewed_is_said(jjm, repository):
    """No such branch, no repository, a job without a delivery."""
    assert (
        "has no branch nothing"
        in jjm("review", "nothing", "--remote", repository, expect=1, **HOST).stderr
    )
    assert "no repository is known" in jjm("review", "nothing", expect=1, **HOST).stderr


def test_init_looks_at_the_repository(jjm, repository, tmp_path):
    """It writes a file once, and only a review file that can be read."""
    folder = repository.partition("=")[2]
    assert "is there already" in jjm("review", "init", folder, expect=1).stderr
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "Makefile").write_text("test:\n\ttrue\n")
    assert "make test" in jjm("review", "init", "new", "--dry-run").stdout
    assert "Wrote new/.jjm.toml: tests." in jjm("review", "init", "new").stdout
    assert "is no folder" in jjm("review", "init", "nowhere", expect=1).stderr


@pytest.mark.both_ways
def test_a_person_signs_a_line(jjm, tmp_path):
    """By its number or its beginning; what was seen is kept beside it."""
    (tmp_path / "b.md").write_text(
        "### Task 1: One\n**Status**: Ready\n**Prompt**: go\n\n**Validation Checklist**:\n"
        "- [ ] Looks good\n- [ ] Feels good\n"
    )
    jjm("queue", "import", "b.md", "--repo", "octo/x")
    assert "No delivery of Task 1 was reviewed" in jjm("review", "Task 1", expect=1, **HOST).stderr
    said = jjm("review", "sign", "task 1", "feels", "--evidence", "tried it").stdout
    assert "Task 1: Feels good (signed: tried it)\n" == said
    lines = json.loads(jjm("queue", "show", "Task 1", "--json", "checklist").stdout)["checklist"]
    assert [False, True] == [line["checked"] for line in lines]
    assert "no 3" in jjm("review", "sign", "Task 1", "3", "--evidence", "x", expect=1).stderr
    assert (
        "No line begins" in jjm("review", "sign", "Task 1", "x", "--evidence", "x", expect=1).stderr
    )
    assert (
        "Say what proves it"
        in jjm("review", "sign", "Task 1", "1", "--evidence", " ", expect=1).stderr
    )


def test_a_merge_is_taken_back(jjm, tmp_path):
    """A dry run touches nothing; then the work is gone from the base, and the job may begin again."""
    demo = tmp_path / "demo"
    jjm("demo", "--keep", str(demo), JJM_BACKEND="")
    environ = {"JJM_HOME": str(demo / "home"), **HOST}
    origin = demo / "origin.git"
    remote = ("--remote", f"octo/atlas={origin}")
    check = ("--check", "python3 -m unittest discover -s tests -t .")

    def head():
        done = subprocess.run(
            ["git", "-C", origin, "for-each-ref"], capture_output=True, check=True, text=True
        )
        return done.stdout

    before = head(), (demo / "backlog.md").read_text(), jjm("queue", "list", **environ).stdout
    dry = jjm("merge", "revert", "Task 1", *remote, *check, "--dry-run", **environ)
    assert "Task 1 could be taken back" in dry.stdout
    assert before == (
        head(), (demo / "backlog.md").read_text(), jjm("queue", "list", **environ).stdout
    )  # fmt: skip
    refused = jjm("merge", "revert", "Task 2", *remote, *check, expect=1, **environ)
    assert "Nothing was taken back: without Task 2, python3 -m unittest" in refused.stdout
    assert before[0] == head()
    done = jjm("merge", "revert", "Task 1", *remote, *check, **environ)
    assert "Task 1 is taken back as" in done.stdout
    tree = subprocess.run(
        ["git", "-C", origin, "ls-tree", "-r", "--name-only", "main"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "sync_queue" not in tree
    assert "task_service.py" in tree
    assert "cancelled" in jjm("queue", "list", "--json", "status", **environ).stdout
    backlog = (demo / "backlog.md").read_text()
    assert "taken back by" in backlog
    assert "- [ ] Tests pass" in backlog
    again = jjm("merge", "revert", "Task 1", *remote, expect=1, **environ)
    assert "Nothing was merged for Task 1 that could be taken back." in again.stderr
    jjm("queue", "retry", "Task 1", **environ)


def test_a_pull_request_is_judged_by_its_number(jjm, repository):
    """As its branch would be; a number that the remote does not have is told."""
    folder = repository.partition("=")[2]
    commit = subprocess.run(
        ["git", "-C", folder, "rev-parse", "claims"], capture_output=True, check=True, text=True
    ).stdout.strip()
    subprocess.run(["git", "-C", folder, "update-ref", "refs/pull/7/head", commit], check=True)
    for what in ("#7", "7", "https://github.com/octo/adding/pull/7/files"):
        found = jjm("review", what, "--remote", repository, "--format", "json", expect=1, **HOST)
        assert commit == json.loads(found.stdout)["delivered_commit"]
    missing = jjm("review", "#8", "--remote", repository, expect=1, **HOST)
    assert "octo/adding has no pull request #8." in missing.stderr

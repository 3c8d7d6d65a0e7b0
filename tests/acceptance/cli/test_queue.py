"""The main job: a backlog becomes merged, checked code."""

from __future__ import annotations

import html
import json
import re
import shlex
import sqlite3
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DATA = Path(__file__).parents[2] / "data"


def test_the_demo(jjm, tmp_path):
    """The demo rejects, repairs and merges, and leaves the refused plan to a person."""
    done = jjm("demo", "--keep", str(tmp_path / "demo"), JJM_BACKEND="")
    rejected = "rejected: promised-files, imports-resolve, no-canned-data, tests-kept, python3"
    assert rejected in done.stdout
    assert "sent back to Jules, round 1" in done.stdout
    assert "DROP TABLE" in done.stdout
    assert 3 == done.stdout.count("merged into main as")
    assert _without_chance(done.stdout).issuperset(_without_chance(_picture_in_the_readme()))
    origin = tmp_path / "demo" / "origin.git"
    tree = subprocess.run(
        ["git", "-C", origin, "ls-tree", "-r", "--name-only", "main"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "atlas/services/task_service.py" in tree.stdout
    story = jjm("queue", "story", "Task 2", JJM_HOME=str(tmp_path / "demo" / "home")).stdout
    for words in (
        "atlas/services/task_service.py: The promised file is missing.",
        "`find_tasks` looks at none of its arguments and returns the same data.",
        "tests/test_package.py:7: ",
        "feedback sent, round 1",
        "✓ Accepted",
    ):
        assert words in story
    page = jjm(
        "queue", "story", "Task 2", "--format", "html", JJM_HOME=str(tmp_path / "demo" / "home")
    )
    assert page.stdout.startswith("<!DOCTYPE html>")
    home = {"JJM_HOME": str(tmp_path / "demo" / "home")}
    (row,) = json.loads(jjm("review", "flaky", "--json", "check,runs,flaky", **home).stdout)
    assert ("python3 -m unittest discover -s tests -t .", 0) == (row["check"], row["flaky"])
    assert f"{row['runs']} runs" in jjm("review", "flaky", **home).stdout
    assert "No command was run" in jjm("review", "flaky").stderr
    backlog = (tmp_path / "demo" / "backlog.md").read_text()
    assert 3 == backlog.count("**Status**: ✅ Complete")


def test_the_demo_says_how_to_go_on_and_it_works(jjm, tmp_path):
    """The commands it ends with, typed as printed, merge the plan that was left to a person."""
    done = jjm("demo", "--keep", str(tmp_path / "a demo"), JJM_BACKEND="")
    environ = dict(
        word.split("=", 1)
        for line in done.stdout.splitlines()
        if line.startswith("  export ")
        for word in shlex.split(line)[1:]
    )
    task = done.stdout.split("jjm approve ")[1].split()[0]
    jjm("approve", task, **environ)
    (command,) = re.findall(
        r"^  (jjm queue run --remote octo/atlas=.*)$", done.stdout, re.MULTILINE
    )
    said = jjm(*shlex.split(command)[1:], "--interval", "0.05", **environ).stdout
    assert 1 == said.count("merged into main as")
    backlog = (tmp_path / "a demo" / "backlog.md").read_text()
    assert 4 == backlog.count("**Status**: ✅ Complete")


def _picture_in_the_readme() -> str:
    """Return the text of the picture, without its window's title, its prompt and lines cut short."""
    root = Path(__file__).parents[3]
    assert "(docs/images/demo.svg)" in (root / "README.md").read_text()
    rows = re.findall(r"<text [^>]*clip-path=[^>]*-line-(\d+)[^>]*>([^<]*)", (
        root / "docs" / "images" / "demo.svg"
    ).read_text())  # fmt: skip
    lines: dict[str, str] = {}
    for number, text in rows:
        lines[number] = lines.get(number, "") + html.unescape(text).replace("\xa0", " ").strip("\n")
    shown = [line for line in lines.values() if not line.startswith("$ ") and "…" not in line]
    assert len(shown) > 20
    return "\n".join(shown)


def _without_chance(text: str) -> set[str]:
    """Return the lines without what differs from run to run: times, ids, commits, graph."""
    without = re.sub(r"\d\d:\d\d:\d\d|\b[0-9a-f]{7,10}\b|\d{15,}|\d+\.\d s\b", "", text)
    return {re.sub(r"\s+", " ", line.lstrip(" *|/\\_")).strip() for line in without.splitlines()}


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
    _spy_on_notes(demo / "home" / "jjm.db")
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
    looks = _noted(demo / "home" / "jjm.db", "observer.last_look")
    assert looks[0].endswith("Z simulator")  # while it ran, readers of the store need not ask
    assert "" == looks[-1]  # after it ended, they do


def _spy_on_notes(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE spied (name, value);"
        "CREATE TRIGGER spy_insert AFTER INSERT ON notes BEGIN INSERT INTO spied VALUES (new.name, new.value); END;"
        "CREATE TRIGGER spy_update AFTER UPDATE ON notes BEGIN INSERT INTO spied VALUES (new.name, new.value); END;"
    )
    connection.close()


def _noted(path: Path, name: str) -> list[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT value FROM spied WHERE name = ?", (name,)).fetchall()
    connection.close()
    return [row[0] for row in rows]


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
    again = ("queue", "export", str(queue), "--output", str(copy))
    assert "is there already" in jjm(*again, expect=1).stderr
    jjm(*again, "--force")


def test_a_dry_run_and_a_missing_repository(jjm, tmp_path):
    """What would start is told; a queue whose repository nobody knows is not started."""
    jjm("queue", "import", str(DATA / "jules-task-queue.md"))
    assert "--repo" in jjm("queue", "run", expect=1).stderr
    shown = jjm("queue", "run", "--repo", "octo/sample", "--dry-run").stdout
    waits = "waits for Task 1, which also touches backend/api/task_routes.py"
    assert f"Task 1\twould start\nTask 2\t{waits}\n" == shown
    assert [] == json.loads(jjm("list", "--json", "id").stdout)

"""Instant commands: what they may load, and that they print what the long way prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.cli.instant import LAST_LOOK_NOTE
from jules_job_manager.domain.artifact import PullRequest, SourceFile
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.job import ChecklistItem, Job, JobFile, JobStatus, Priority
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.services import tasks as task_service

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
TASK = JulesTask(
    id="1001", title="Tricky\t\x1b[31m東京", description="d", repository="octo/demo",
    branch="main", status=TaskStatus.COMPLETED, created_at=NOW, updated_at=NOW, url="u",
    chat_history=(ChatMessage(content="hi\nthere", timestamp=NOW, type="user"),),
    source_files=(SourceFile(filename="a.py", status="created"),),
    plan=Plan(id="p", steps=(PlanStep(title="s"),)), outputs=(PullRequest(url="pull"),),
    raw_state="COMPLETED", backend="simulator", seen_at=NOW, metadata={"x": 1},
)  # fmt: skip
JOBS = [
    Job(key="Task 1", title="One\0", prompt="p", status=JobStatus.DONE, backlog="/b", finished_at=NOW),
    Job(key="Task 2", title="Two", prompt="p", status=JobStatus.BLOCKED, backlog="/b", position=1,
        depends_on=("Task 1",), priority=Priority.LOW, reason="why", notes=("n",),
        files=(JobFile(path="a", note="x"),), checklist=(ChecklistItem(text="c", checked=True),)),
    Job(key="Task 3", title="Three", prompt="p", status=JobStatus.READY, backlog="/b", position=2),
    Job(key="Task 4", status=JobStatus.NEEDS_YOU, backlog="/b", position=3, depends_on=("Task 2",)),
    Job(key="task 4", title="low", status=JobStatus.FAILED, backlog="/b", position=4),
]  # fmt: skip

OWN = {
    "", "_version", "adapters", "adapters.storage", "adapters.storage.instant",
    "adapters.storage.revision", "cli", "cli.commands", "cli.context", "cli.dispatch",
    "cli.instant", "cli.main", "cli.output", "cli.table", "domain", "domain.text", "settings",
    "settings.instant", "settings.locate",
}  # fmt: skip
QUEUE = OWN | {"cli.queue_jobs"}
COMMANDS = [
    (["queue", "list"], QUEUE | {"cli.commands.queue_list"}),
    (["queue", "list", "--json", "key,depends_on"], QUEUE | {"cli.commands.queue_list"}),
    (["queue", "show", "task 2"], QUEUE | {"cli.commands.queue_show", "domain.job_keys"}),
    (
        ["queue", "show", "task 4", "--json", "key,files"],
        QUEUE | {"cli.commands.queue_show", "domain.job_keys"},
    ),
    (["queue", "status"], QUEUE | {"cli.commands.queue_status"}),
    (
        ["queue", "status", "--json", "next,needs_you,counts,total"],
        QUEUE | {"cli.commands.queue_status"},
    ),
    (["list", "--cached"], OWN | {"cli.commands.list", "domain.clockwork"}),
    (["list", "--cached", "--json", "id,metadata,archived"], OWN | {"cli.commands.list"}),
    (["get", "10", "--cached"], OWN | {"cli.commands.get", "domain.clockwork"}),
    (["get", "1001", "--cached", "--json", "id,chat_history,plan"], OWN | {"cli.commands.get"}),
]
DEAR = {"asyncio", "dataclasses", "inspect", "logging", "pathlib", "shutil", "subprocess", "typing",
        "urllib", "http", "ssl", "tomllib", "traceback", "importlib.metadata"}  # fmt: skip
SPY = """
import sys
from jules_job_manager.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write("\\n".join(sorted(sys.modules)))
raise SystemExit(code)
"""


@pytest.fixture
async def home(tmp_path):
    """A home whose store holds tasks and jobs."""
    folder = tmp_path / "home"
    store = await open_sqlite(folder / "jjm.db")
    await store.tasks.save_tasks([replace(TASK, seen_at=datetime.now(UTC))])
    await store.jobs.save_jobs(JOBS)
    await store.aclose()
    return folder


def _environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "JJM_HOME": str(home), "JJM_BACKEND": "simulator", **more}


def _run(home: Path, *words: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", SPY, *words], env=_environment(home, **more),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert code == done.returncode, said
    return done


def _is_instant(done: subprocess.CompletedProcess[str]) -> bool:
    return "sqlalchemy" not in done.stderr.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS]
)
def test_what_instant_commands_load(home, words, expected):
    """Nothing but the modules named here, and no dear part of the standard library."""
    loaded = {name for name in _run(home, *words).stderr.splitlines() if " " not in name}
    ours = {name for name in loaded if name.partition(".")[0] == "jules_job_manager"}
    assert {f"jules_job_manager.{name}".rstrip(".") for name in expected} == ours
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    site = {"jules_job_manager", "__main__", "sitecustomize", "usercustomize", "_distutils_hack"}
    assert set() == foreign - site - {name for name in foreign if name.startswith("__editable")}
    assert set() == loaded & DEAR


def test_the_version_loads_nothing(home):
    """The version is told before anything is loaded, `re` and `argparse` included."""
    loaded = set(_run(home, "--version").stderr.splitlines())
    ours = {name for name in loaded if name.startswith("jules_job_manager")}
    expected = {"jules_job_manager", "jules_job_manager._version", "jules_job_manager.cli", "jules_job_manager.cli.main"}  # fmt: skip
    assert expected == ours
    assert set() == loaded & {"argparse", "re", "enum", "json", "sqlite3", "typing"}


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS], ids=" ".join)
def test_the_long_way_prints_the_same(home, words):
    """With a setting that only the long way can read, the output is the same to the byte."""
    short = _run(home, *words)
    (home / ".env").write_text("JJM_STORAGE__BACKEND='sqlite'\n")
    long = _run(home, *words)
    assert (True, False) == (_is_instant(short), _is_instant(long))
    assert short.stdout == long.stdout
    assert short.stdout


def test_what_the_short_way_leaves_to_the_long_one(home, tmp_path):
    """Missing tasks, unclear names, missing stores and other stores are reported as ever."""
    assert "no task 77" in _run(home, "get", "77", "--cached", code=1).stderr
    assert "no job" in _run(home, "queue", "show", "Task 9", code=1).stderr
    assert "no jobs" in _run(tmp_path / "new", "queue", "list").stderr
    (home / "config.toml").write_text('[storage]\nbackend = "json"\n')
    assert "needs a database" in _run(home, "queue", "list", code=1).stderr
    (home / "config.toml").write_text("[storage\n")
    assert "cannot be read" in _run(home, "queue", "list", code=1).stderr


def test_a_longer_queue_says_that_it_is_cut(home):
    """A cut list is never taken for the whole."""
    done = _run(home, "queue", "list", "--limit", "2", "--json", "key")
    assert [{"key": "Task 1"}, {"key": "Task 2"}] == json.loads(done.stdout)
    assert "2 of 5 jobs are shown" in done.stderr
    assert "are shown" not in _run(home, "queue", "list", "--limit", "0").stderr
    assert "0 or more" in _run(home, "queue", "list", "--limit", "-1", code=1).stderr


async def _note(home: Path, value: str) -> None:
    store = await open_sqlite(home / "jjm.db")
    await store.set_note(LAST_LOOK_NOTE, value)
    await store.aclose()


async def test_a_running_worker_spares_a_look(home):
    """While a worker has just looked at the same Jules, list and get read what it kept."""
    assert task_service.LAST_LOOK_NOTE == LAST_LOOK_NOTE
    away = {"JJM_BACKEND": "rest", "JULES_API_KEY": "k", "JULES_API_URL": "http://127.0.0.1:1/v1alpha"}  # fmt: skip
    await _note(home, f"{to_rfc3339(datetime.now(UTC))} simulator")
    assert _is_instant(_run(home, "list", "--ids"))
    assert _is_instant(_run(home, "get", "1001"))
    assert not _is_instant(_run(home, "list", "--ids", code=1, **away))
    await _note(home, f"{to_rfc3339(datetime.now(UTC) - timedelta(seconds=61))} simulator")
    assert not _is_instant(_run(home, "list", "--ids"))
    await _note(home, "")
    assert not _is_instant(_run(home, "list", "--ids"))
    await _note(home, "nonsense simulator")
    assert not _is_instant(_run(home, "list", "--ids"))


async def test_a_task_the_worker_did_not_see_is_asked_for(home):
    """What was seen longer ago than a minute is asked for, worker or not."""
    store = await open_sqlite(home / "jjm.db")
    await store.tasks.save_tasks([JulesTask(id="2002", backend="simulator", seen_at=NOW - timedelta(hours=1))])  # fmt: skip
    await store.set_note(LAST_LOOK_NOTE, f"{to_rfc3339(datetime.now(UTC))} simulator")
    await store.aclose()
    assert "no task 2002" in _run(home, "get", "2002", code=1).stderr


def test_the_program_ends_with_its_code(home):
    """The short end of the process keeps output and exit code, also into a pipe that is closed."""
    environment = _environment(home)
    argv = [sys.executable, "-m", "jules_job_manager"]
    done = subprocess.run(
        [*argv, "queue", "list"], env=environment, capture_output=True, check=False
    )
    assert (0, 5) == (done.returncode, len(done.stdout.splitlines()))
    done = subprocess.run(
        [*argv, "queue", "nope"], env=environment, capture_output=True, check=False
    )
    assert 1 == done.returncode
    with subprocess.Popen(
        [*argv, "queue", "list"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()

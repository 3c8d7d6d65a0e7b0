"""Scripts that use the package, run as programs of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.environment import bare_environment

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "scripts.md"

SCRIPT = """
from jules_job_manager import JobManager

manager = JobManager()
task = manager.create_task("Add a greeting", "octo/demo")
manager.monitor_task(task.id, interval=0)
print([found.id for found in manager.list_tasks()] == [task.id])
"""


@pytest.fixture
def environment(tmp_path):
    repository = tmp_path / "demo"
    person = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    commit = ["commit", "-q", "--allow-empty", "-m", "Begin"]
    subprocess.run(["git", "-C", repository, *person, *commit], check=True)
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[jules]\nbackend = "simulator"\n[simulator]\nspeed = 100000.0\n'
        f'[remotes]\n"octo/demo" = "{repository}"\n"octo/site" = "{repository}"\n'
    )
    return bare_environment(JJM_HOME=str(home), HOME=str(tmp_path))


def test_a_script_that_closes_nothing_ends(environment):
    """`JobManager()` takes all from the configuration, and a script that forgets to close it ends."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], env=environment, text=True,
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (0, "") == (ran.returncode, ran.stderr)
    lines = ran.stdout.splitlines()
    assert "completed, 1 source files" in lines[-2]
    assert "True" == lines[-1]


@pytest.mark.parametrize("number", [0, 1])
def test_the_documented_scripts_work(environment, number):
    """Every script on the how-to page runs as it stands."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert 2 == len(blocks)
    code = blocks[number].replace("interval=30", "interval=0")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, text=True,
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (0, "") == (ran.returncode, ran.stderr)


def test_nothing_configured_says_how_to_reach_jules(tmp_path):
    """Without any configuration the error names the ways."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], text=True, capture_output=True, check=False, timeout=60,
        env=bare_environment(HOME=str(tmp_path)),
    )  # fmt: skip
    assert 1 == ran.returncode
    assert "No way to reach Jules is configured" in ran.stderr


def test_importing_the_package_is_light():
    """The public names load on first use, so importing the package loads nothing heavy."""
    code = (
        "import sys, jules_job_manager as j; j.TaskStatus; "
        "print([m for m in ('sqlalchemy', 'httpx2', 'mcp', 'anyio', 'pydantic') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, check=False, timeout=60
    )
    assert "[]" == ran.stdout.strip()

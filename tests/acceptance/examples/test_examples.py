"""The scripts of `examples/`, run as they stand on the simulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.environment import bare_environment

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a program with the simulator behind it."""
    scripts = Path(sys.executable).parent
    environment = bare_environment(
        is_counted=False,  # what the scripts run is counted where each command is tested
        PATH=f"{scripts}{os.pathsep}{os.environ['PATH']}", HOME=str(tmp_path),
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_SIMULATOR__SPEED="100000",
    )  # fmt: skip

    def go(*command: object) -> str:
        ran = subprocess.run(
            [str(word) for word in command], env=environment, cwd=tmp_path, text=True,
            capture_output=True, check=False, timeout=60,
        )  # fmt: skip
        assert 0 == ran.returncode, ran.stderr
        return ran.stdout

    return go


def test_one_task(run, tmp_path):
    """The shell script ends with the patch in a file."""
    said = run(EXAMPLES / "one_task.sh", "octo/sample", "Add a greeting", "0.05")
    (patch,) = tmp_path.glob("*.patch")
    assert patch.read_text().startswith("diff --git")
    assert f"the work is in {patch.name}" in said


def test_a_batch_and_its_table(run, tmp_path):
    """Each line becomes a task, and the table shows them; a title is never markup."""
    batch = tmp_path / "batch.txt"
    batch.write_text("Add a greeting\n\n[red]Add[/red] a farewell\n")
    said = run(sys.executable, EXAMPLES / "batch_create.py", "octo/sample", batch)
    assert ["Add a greeting", "[red]Add[/red] a farewell"] == [
        line.split(" ", 1)[1] for line in said.splitlines()
    ]
    shown = run(sys.executable, EXAMPLES / "live_status.py", "0", "2")
    assert 1 == shown.count("Add a greeting")
    assert "[red]Add" in shown

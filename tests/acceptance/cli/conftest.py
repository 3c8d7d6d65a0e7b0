"""Runs `jjm` as a user does: as a process, in a home of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.environment import bare_environment


@pytest.fixture
def jjm(tmp_path):
    """Return a function that runs a command line and returns the finished process."""

    def run(*words: str, expect: int = 0, stdin: str = "", **environ: str):
        done = subprocess.run(
            [sys.executable, "-m", "jules_job_manager", *words],
            env=bare_environment(**{
                "JJM_HOME": str(tmp_path / "home"), "JJM_BACKEND": "simulator",
                "JJM_SIMULATOR__SPEED": "2000", "JJM_REVIEW__SANDBOX": "host", **environ,
            }),
            input=stdin, capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert expect == done.returncode, done.stdout + done.stderr
        return done

    return run

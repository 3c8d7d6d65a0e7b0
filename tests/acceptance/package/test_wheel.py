"""What users install: the wheel, not the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_all_that_is_needed(wheel):
    """Types, migrations and the demo's data are in it; tests and caches are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    home = "jules_job_manager/"
    for name in ("py.typed", "example/backlog.md", "example/scenario.toml"):
        assert home + name in names
    assert any(
        name.startswith(home + "adapters/storage/sql/migrations/versions/0001") for name in names
    )
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_the_demo_runs_from_it(wheel, tmp_path):
    """An installed user's `jjm demo` does the main job without a checkout."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-m", "jules_job_manager", "demo", "--speed", "400"], cwd=tmp_path,
        env=environment, text=True, capture_output=True, check=False, timeout=110,
    )  # fmt: skip
    assert 0 == ran.returncode, ran.stderr
    assert "every check passed" in ran.stdout + ran.stderr

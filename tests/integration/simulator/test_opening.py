"""Several processes open one and the same world."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.environment import bare_environment

from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.scenario import Scenario
from jules_job_manager.adapters.system_clock import SystemClock

pytestmark = pytest.mark.integration

OPEN = """
import sys
from pathlib import Path
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.scenario import Scenario
from jules_job_manager.adapters.system_clock import SystemClock
Simulator.open(
    Path(sys.argv[1]), scenario=Scenario(), seed=1, speed=1, repositories={}, clock=SystemClock()
).close()
"""


def test_several_may_be_the_first(tmp_path):
    """Commands that begin at the same moment make one world and one sample repository."""
    command = [sys.executable, "-c", OPEN, str(tmp_path / "home" / "world.db")]
    openers = [
        subprocess.Popen(command, env=bare_environment(), stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [opener.communicate(timeout=60)[1] for opener in openers]
    assert [0] * 4 == [opener.returncode for opener in openers], said
    assert (tmp_path / "home" / "sample.git" / "HEAD").exists()


def test_a_world_is_its_owners_alone(tmp_path):
    """With the files beside it; one that an older version made is narrowed."""
    path = tmp_path / "home" / "world.db"
    path.parent.mkdir()
    for name in ("world.db", "world.db.lock"):
        path.with_name(name).touch(0o644)
    world = Simulator.open(
        path, scenario=Scenario(), seed=1, speed=1, repositories={}, clock=SystemClock()
    )
    try:
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("world.db*")}
    finally:
        world.close()
    assert (
        dict.fromkeys(("world.db", "world.db-wal", "world.db-shm", "world.db.lock"), 0o600) == modes
    )

"""Google's own TypeScript SDK drives `jjm simulator serve`: the surest test of its REST face."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.environment import bare_environment
from tests.node import installed

CLIENT = Path(__file__).parent / "client"
SCENARIO = """
[[task]]
match = "greeting"
question = "Which words shall greet?"
"""


@pytest.fixture
def served(tmp_path):
    """Serve a simulator on a real repository and return its address."""
    person = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    seed, bare = tmp_path / "seed", tmp_path / "demo.git"
    for command in (
        ["git", "init", "-q", "-b", "main", str(seed)],
        ["git", "-C", str(seed), *person, "commit", "-q", "--allow-empty", "-m", "Begin"],
        ["git", "clone", "-q", "--bare", str(seed), str(bare)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    server = subprocess.Popen(
        [sys.executable, "-m", "jules_job_manager", "simulator", "serve", "--port", "0",
         "--repo", f"octo/demo={bare}", "--scenario", str(scenario), "--speed", "200"],
        env=bare_environment(JJM_HOME=str(tmp_path / "home")), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(timeout=20)
        server.stdout.close()


def test_from_creation_to_the_result(pytestconfig, served, tmp_path):
    """Create, approve, answer, stream and result, each as Google's SDK understands them."""
    node, folder = installed(pytestconfig, CLIENT)
    ran = subprocess.run(
        [node, folder / "drive.mjs", served], text=True, capture_output=True, timeout=90,
        env=bare_environment(JULES_HOME=str(tmp_path), NO_PROXY=os.environ.get("NO_PROXY", "")),
        check=False,
    )  # fmt: skip
    assert 0 == ran.returncode, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert ["github/octo/demo"] == told["sources"]
    assert "awaitingPlanApproval" == told["waiting"]
    assert ["planGenerated", "planApproved"] == told["kinds"][:2]
    assert "sessionCompleted" == told["kinds"][-1]
    assert {"agentMessaged", "userMessaged", "progressUpdated"} <= set(told["kinds"])
    assert "changeSet" in told["artifacts"]
    assert "completed" == told["state"]
    assert told["pullRequest"]["headRef"].endswith(told["id"])
    assert ["created"] == [file["changeType"] for file in told["files"]]
    with urllib.request.urlopen(served.replace("/v1alpha", "/stats")) as answer:
        stats = json.load(answer)
    assert (1, {}) == (stats["sessions_created"], stats["refusals"])

"""The queue over the MCP backend: marks in prompts, branches found by task id, feedback and merge."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHECK = "python3 -m unittest discover -s tests -t ."


def test_the_example_backlog_is_merged(jjm, tmp_path):
    """The demo's backlog ends as in the demo, though MCP tells neither titles, plans nor patches."""
    jjm("demo", "--keep", "demo", "--speed", "400")
    origin = tmp_path / "origin.git"
    seed = tmp_path / "demo" / "seed"
    subprocess.run(["git", "clone", "-q", "--bare", seed, origin], check=True, capture_output=True)
    example = files("jules_job_manager.example")
    backlog = tmp_path / "backlog.md"
    backlog.write_bytes(example.joinpath("backlog.md").read_bytes())
    scenario = tmp_path / "mcp.toml"
    scenario.write_text(
        "[mcp]\nplan_waits = false\n" + example.joinpath("scenario.toml").read_text()
    )
    server = (
        f"{sys.executable} -m jules_job_manager simulator mcp --speed 400 --scenario {scenario} "
        f"--repo octo/atlas={origin}"
    )
    mcp = {"JJM_BACKEND": "mcp", "JJM_MCP_SERVER__COMMAND": server}
    jjm("queue", "import", str(backlog), "--repo", "octo/atlas")
    run = jjm(
        "queue", "run", "--check", CHECK, "--remote", f"octo/atlas={origin}", "--approve", "always",
        "--interval", "0.2", expect=8, **mcp,
    )  # fmt: skip
    assert "sent back to Jules, round 1" in run.stdout
    jobs = json.loads(jjm("queue", "list", "--json", "key,status").stdout)
    assert {"Task 1": "done", "Task 2": "done", "Task 4": "done"}.items() <= {
        job["key"]: job["status"] for job in jobs
    }.items()
    log = subprocess.run(
        ["git", "-C", origin, "log", "--merges", "--format=%s", "main"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert 3 == len(log.stdout.splitlines())
    listed = json.loads(jjm("list", "--json", "title", **mcp).stdout)
    assert 4 == sum(task["title"].startswith("[jjm:") for task in listed)

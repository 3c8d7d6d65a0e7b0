"""The command line on the Node server: what a user types, and what they see when it misbehaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.environment import bare_environment
from tests.warm_program import run_jjm

EXITS = "error: The MCP server ended during its start (exit code 3)."


@pytest.fixture
def jjm(node_server, site, tmp_path):
    """Return a function that runs a command on the pretend server."""

    def run(*words: str, expect: int = 0, misbehave: str = "", **environ: str):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(
            f'[mcp_server]\npath = "{node_server[1]}"\nnode_path = "{node_server[0]}"\n'
            f'command = "env SITE={site.path} CALLS={site.environment["CALLS"]} '
            f'MISBEHAVE={misbehave} {" ".join(node_server)}"\n'
            f'jules_data_path = "{site.data}"\n'
        )
        env = bare_environment(JJM_HOME=str(home), JJM_BACKEND="mcp", **environ)
        done = run_jjm(words, env=env, cwd=Path.cwd())
        assert expect == done.returncode, done.stdout + done.stderr
        return done

    return run


def test_the_tickets_commands(jjm, site):
    """Every task command of the tickets works over MCP, each in a process of its own."""
    task_id = jjm("create", "--repo", "octo/demo", "--description", "Add a greeting").stdout.strip()
    site.show(task_id, status="waiting for approval", plan=True)
    jjm("monitor", task_id, "--until", "waiting_approval", "--interval", "0")
    jjm("approve", task_id)
    jjm("message", task_id, "Thank you")
    site.show(task_id, status="paused", paused=True)
    assert "Status: paused" in jjm("get", task_id).stdout
    jjm("resume", task_id)
    site.show(task_id, status="completed", files=["app.py"])
    jjm("monitor", task_id, "--interval", "0")
    assert "completed" in jjm("list").stdout
    assert "Thank you" in jjm("get", task_id).stdout
    assert "the MCP server cannot" in jjm(
        "delete", task_id, "--yes", expect=1
    ).stderr.lower().replace("mcp", "MCP")


def test_a_server_that_exits(jjm):
    """One sentence with its exit code and last words, and what to try."""
    said = jjm("list", expect=1, misbehave="exit").stderr
    assert EXITS in said
    assert "Cannot find module" in said
    assert "hint: Start it by hand" in said
    assert "Traceback" not in said


def test_a_server_that_prints_junk(jjm, site):
    """Junk on its stdout is skipped."""
    site.fail("jules_list_tasks", "junk")
    assert "No tasks." in jjm("list", misbehave="junk").stderr


def test_a_server_that_hangs(jjm):
    """The wait for the handshake is bounded by the setting that the hint names."""
    said = jjm("list", expect=1, misbehave="mute", JJM_MCP_SERVER__START_TIMEOUT_SECONDS="1").stderr
    assert "did not answer within 1 s" in said
    assert "mcp_server.start_timeout_seconds" in said


def test_a_server_that_floods_stderr(jjm, tmp_path):
    """Megabytes on its stderr stop nothing and stay bounded on disk."""
    jjm("list", misbehave="flood")
    logs = (tmp_path / "home" / "logs").glob("mcp_server.log*")
    assert 0 < sum(path.stat().st_size for path in logs) < 5_000_000


def test_a_server_that_is_not_there(tmp_path):
    """A path that is wrong is named with how to build the server."""
    environ = bare_environment(JJM_HOME=str(tmp_path), MCP_SERVER_PATH="/nowhere/x.js")
    command = [sys.executable, "-m", "jules_job_manager", "list"]
    ran = subprocess.run(command, env=environ, text=True, capture_output=True, check=False)
    said = ran.stderr
    assert 1 == ran.returncode
    assert "The MCP server /nowhere/x.js is not there." in said
    assert "npm install" in said


def test_a_command_that_cannot_be_read(jjm):
    """An open quotation mark in the configured command is told, not run."""
    said = jjm("list", expect=1, JJM_MCP_SERVER__COMMAND="node 'x").stderr
    assert "mcp_server.command cannot be read: No closing quotation." in said

"""`jjm simulator mcp` as a process, spoken to in JSON lines."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest
import tomlkit
from tests.environment import bare_environment


class Talk:
    """One run of an MCP server."""

    def __init__(self, command, environment) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", env=environment,
        )  # fmt: skip
        self._number = 0

    def send(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def begin(self, method: str, params: object = None) -> int:
        """Send a request without waiting for its answer."""
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method}
        self.send(json.dumps({**request, **({} if params is None else {"params": params})}))
        return self._number

    def answer(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def ask(self, method: str, params: object = None) -> dict:
        number = self.begin(method, params)
        answer = self.answer()
        assert number == answer["id"]
        return answer

    def call(self, tool: str, **arguments: object) -> str:
        """Call a tool; return its text, or the message of its error."""
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if "error" in answer:
            assert -32603 == answer["error"]["code"]
            return answer["error"]["message"]
        (block,) = answer["result"]["content"]
        assert {"content": [{"type": "text", "text": block["text"]}]} == answer["result"]
        return block["text"]

    def close(self) -> None:
        """Stop the server for certain and let go of its pipes."""
        self.process.kill()
        self.process.wait(timeout=20)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def environment(tmp_path):
    return bare_environment(
        HOME=str(tmp_path), JJM_HOME=str(tmp_path / "home"), LC_ALL="C", TZ="UTC",
        JULES_DATA_PATH=str(tmp_path / "data.json"),
    )  # fmt: skip


@pytest.fixture
def start(tmp_path, environment):
    """Return a function that starts the simulated server with a scenario."""
    running = []

    def begin(
        *, speed: float = 0, environ: dict[str, str] | None = None, **scenario: object
    ) -> Talk:
        script = tmp_path / "scenario.toml"
        script.write_text(tomlkit.dumps(scenario))
        command = [
            sys.executable, "-m", "jules_job_manager", "simulator", "mcp", "--speed", str(speed),
            "--scenario", str(script),
        ]  # fmt: skip
        running.append(Talk(command, {**environment, **(environ or {})}))
        return running[-1]

    yield begin
    for talk in running:
        talk.close()


@pytest.fixture
def real(environment):
    """Return a talk with the server that JJM_TEST_MCP_COMMAND names."""
    command = os.environ.get("JJM_TEST_MCP_COMMAND")
    if not command:
        pytest.skip("JJM_TEST_MCP_COMMAND names no real MCP server")
    talk = Talk(shlex.split(command), environment)
    yield talk
    talk.close()

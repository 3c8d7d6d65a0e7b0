"""A real Node process that speaks the texts of google-jules-mcp and misbehaves on demand."""

from __future__ import annotations

import json
import os
import shlex
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.clocks import ImpatientClock
from tests.node import installed

from jules_job_manager.adapters.backends.mcp.backend import open_mcp_backend

HERE = Path(__file__).parent / "server"


@pytest.fixture(scope="session")
def node_server(request) -> list[str]:
    """Return the command of the pretend server, its packages installed once and kept."""
    node, folder = installed(request.config, HERE)
    return [node, str(folder / "server.mjs")]


class Site:
    """The pretend web site of one server, and what the server was asked."""

    def __init__(self, folder: Path) -> None:
        self.path, self.data, self._calls = (
            folder / "site.json", folder / "data.json", folder / "calls.jsonl",
        )  # fmt: skip
        self.stderr_log = folder / "stderr.log"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SITE": str(self.path),
            "CALLS": str(self._calls),
            "JULES_DATA_PATH": str(self.data),
        }

    def show(self, task_id: str, **page: object) -> None:
        """Change what the page of a task shows."""
        world = self._world()
        world.setdefault("pages", {}).setdefault(task_id, {}).update(page)
        self.path.write_text(json.dumps(world))

    def set(self, **members: object) -> None:
        """Change members of the site, such as `id_suffix`."""
        self.path.write_text(json.dumps({**self._world(), **members}))

    def fail(self, tool: str, kind: str, text: str = "", *, times: int = 1) -> None:
        """Have the next calls of a tool go wrong."""
        world = self._world()
        fault = {"tool": tool, "kind": kind, "text": text, "times": times}
        world.setdefault("faults", []).append(fault)
        self.path.write_text(json.dumps(world))

    def store(self, *tasks: dict[str, object]) -> None:
        """Write the server's data file."""
        self.data.write_text(json.dumps({"tasks": list(tasks)}))

    def calls(self, what: str = "begin") -> list[str]:
        """Return the names of the tools called, in order."""
        return [line["name"] for line in self.lines() if line["what"] == what]

    def lines(self) -> list[dict[str, object]]:
        """Return what the server noted: begin and end of every call."""
        if not self._calls.exists():
            return []
        return [json.loads(line) for line in self._calls.read_text().splitlines()]

    def _world(self) -> dict[str, object]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def clock():
    return ImpatientClock()


@pytest.fixture
async def connect(node_server, site, clock):
    """Return a function that opens a backend on the pretend server."""
    async with AsyncExitStack() as stack:

        def to(
            *misbehave: str, call_timeout_seconds: float = 20, start_timeout_seconds: float = 20,
            file: bool = True, environment: dict[str, str] | None = None,
        ):  # fmt: skip
            backend = open_mcp_backend(
                command=node_server,
                environment={
                    **site.environment, "MISBEHAVE": ",".join(misbehave), **(environment or {})
                },
                call_timeout_seconds=call_timeout_seconds,
                create_timeout_seconds=call_timeout_seconds,
                start_timeout_seconds=start_timeout_seconds,
                stderr_log=site.stderr_log,
                clock=clock,
            )  # fmt: skip
            if not file:  # as with a server whose data file is not ours to read
                backend._data_path = None
            stack.push_async_callback(backend.aclose)
            return backend

        yield to


@pytest.fixture(params=["pretend", "real"])
def any_command(request) -> list[str]:
    """Return the command of the pretend server, and of the one JJM_TEST_MCP_COMMAND names."""
    if request.param == "pretend":
        return request.getfixturevalue("node_server")
    command = os.environ.get("JJM_TEST_MCP_COMMAND")
    if not command:
        pytest.skip("JJM_TEST_MCP_COMMAND names no real MCP server")
    return shlex.split(command)

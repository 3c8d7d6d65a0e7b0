"""A tool of a real MCP server as a reviewer, in the real sandbox."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.review_corpus.memory_change import make_change

from jules_job_manager.adapters.reviewers import mcp_client, mcp_tool
from jules_job_manager.adapters.reviewers.command import CommandReviewers
from jules_job_manager.adapters.reviewers.mcp_tool import Reviewers
from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.ports.sandbox import DEFAULT_LIMITS

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SERVER = """
import os
from mcp.server import MCPServer
server = MCPServer("x")

@server.tool()
def review(request: dict) -> dict:
    return {"protocol": request["protocol"], "verdict": "accept", "summary": open("merged/a").read()}

@server.tool()
def text(request: dict) -> str:
    return "no json"

@server.tool()
def broken(request: dict) -> dict:
    raise RuntimeError("out of order")

@server.tool()
def ends(request: dict) -> dict:
    os._exit(7)

server.run("stdio")
"""
CHANGE = make_change(
    {"server.py": SERVER}, {"server.py": "raise SystemExit", "a": "A"}, Job(key="k")
)


@pytest.fixture(scope="module")
def reviewers():
    """Return the access to reviewers in bubblewrap, or skip with the reason."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    sandbox = BubblewrapSandbox(path=path, home=Path.home())
    if problem := asyncio.run(sandbox.is_usable()):
        pytest.skip(problem)
    return Reviewers(
        CommandReviewers(
            sandbox=sandbox, host=HostSandbox(environment={}), limits=DEFAULT_LIMITS,
            environment={"PATH": path, "HOME": "/nowhere"},
        )
    )  # fmt: skip


def tool(name: str, **members) -> ReviewerSpec:
    command = f"{sys.executable} base/server.py"
    return ReviewerSpec(name="m", mcp=command, tool=name, timeout_seconds=60.0, **members)


@pytest.mark.parametrize("sandbox", [True, False])
async def test_a_tool_answers(reviewers, sandbox):
    """It gets the request as an argument and sees the merge."""
    reply = await reviewers.ask(
        tool("review", sandbox=sandbox), request='{"protocol": 1}', change=CHANGE
    )
    assert "" == reply.problem, reply.log
    assert {"protocol": 1, "verdict": "accept", "summary": "A"} == json.loads(reply.answer)


async def test_what_a_tool_says_is_taken_as_it_is(reviewers):
    """Whether it is an answer is not the client's to judge."""
    reply = await reviewers.ask(tool("text"), request="{}", change=CHANGE)
    assert (b"no json", "") == (reply.answer, reply.problem)


@pytest.mark.parametrize(
    ("name", "why"), [("broken", "the tool failed"), ("none", ""), ("ends", "")]
)
async def test_a_tool_that_fails(reviewers, name, why):
    """It is a problem, not an answer."""
    reply = await reviewers.ask(tool(name), request="{}", change=CHANGE)
    assert reply.problem.startswith("it ended with 1 (")
    assert why in reply.problem


async def test_without_the_extra(reviewers, monkeypatch):
    """One sentence says what is missing."""
    monkeypatch.setattr(mcp_tool, "find_spec", lambda name: None)
    reply = await reviewers.ask(tool("review"), request="{}", change=CHANGE)
    assert "it is a tool of an MCP server, which needs the extra mcp" == reply.problem


@pytest.mark.parametrize(
    ("content", "structured", "said"),
    [
        ([("text", "one")], {"a": 1}, "one"),
        ([("text", "one"), ("text", "two")], {"a": 1}, '{"a": 1}'),
        ([("text", "one"), ("image", "")], None, None),
        ([], None, None),
    ],
)
def test_the_text_of_a_result(content, structured, said):
    """One text, else the object, else nothing."""
    parts = [SimpleNamespace(type=kind, text=text) for kind, text in content]
    result = SimpleNamespace(content=parts, is_error=False, structured_content=structured)
    if said is None:
        with pytest.raises(ValueError, match="neither one text nor an object"):
            mcp_client.text_of(result)
    else:
        assert said == mcp_client.text_of(result)


def test_an_error_is_no_answer():
    """Even when it looks like one."""
    part = SimpleNamespace(type="text", text='{"protocol": 1}')
    result = SimpleNamespace(content=[part], is_error=True, structured_content=None)
    with pytest.raises(ValueError, match="the tool failed"):
        mcp_client.text_of(result)


def test_the_program(tmp_path, monkeypatch, capfd):
    """Its arguments name the packages, the tool, the time and the server."""
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "a").write_text("B")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(
        sys, "argv", ["x", "/packages", "review", "30", sys.executable, "server.py"]
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"protocol": 1}'))
    assert 0 == mcp_client.main()
    assert "/packages" == sys.path[-1]
    assert "B" == json.loads(capfd.readouterr().out)["summary"]

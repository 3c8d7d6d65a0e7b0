"""The MCP backend on a Node server that exits, hangs, prints junk, floods stderr or refuses."""

from __future__ import annotations

import os

import pytest

from jules_job_manager.adapters.backends.mcp.backend import open_mcp_backend
from jules_job_manager.domain.task import NewTask
from jules_job_manager.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidInputError,
    MCPConnectionError,
    OperationFailedError,
    UnclearOutcomeError,
    UnsupportedOperationError,
)

NEW = NewTask(description="Add a greeting", repository="octo/demo", branch="main")
ANSI = "\x1b[2m  - waiting for locator('swebot-option')\x1b[22m"


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_server_that_exits_at_the_start(connect):
    """Its exit code and last words are told, without terminal codes."""
    with pytest.raises(MCPConnectionError) as caught:
        await connect("exit").list_tasks()
    assert "ended during its start (exit code 3)" in caught.value.message
    assert "Cannot find module './nowhere.js' (in red)" in caught.value.message
    assert "node dist/index.js" in str(caught.value.hint)


async def test_a_program_that_is_not_there(clock, tmp_path):
    """A command that cannot be started names the settings to look at."""
    backend = open_mcp_backend(
        command=[str(tmp_path / "nothing")], environment={}, call_timeout_seconds=1,
        create_timeout_seconds=1, start_timeout_seconds=1, stderr_log=None, clock=clock,
    )  # fmt: skip
    with pytest.raises(MCPConnectionError, match="No such file") as caught:
        await backend.list_tasks()
    assert "MCP_SERVER_PATH" in str(caught.value.hint)


async def test_a_server_that_never_answers_the_handshake(connect):
    """The wait is bounded, and the server is gone afterwards."""
    backend = connect("mute", start_timeout_seconds=1)
    with pytest.raises(MCPConnectionError, match="did not answer within 1 s of its start"):
        await backend.create_task(NEW)
    assert backend._process.pid is None


async def test_a_server_that_prints_junk(connect, site):
    """Lines that are no messages are skipped, at the start and in between."""
    backend = connect("junk")
    site.fail("jules_get_task", "junk")
    task = await backend.create_task(NEW)
    site.show(task.id, status="running")
    assert "running" == (await backend.get_task(task.id)).raw_state


async def test_a_server_that_floods_stderr(connect, site):
    """Megabytes on stderr block nothing and fill no disk."""
    backend = connect("flood")
    site.fail("jules_create_task", "flood")
    await backend.create_task(NEW)
    await backend.aclose()
    kept = sum(path.stat().st_size for path in site.stderr_log.parent.glob("stderr.log*"))
    assert 0 < kept < 5_000_000


async def test_a_read_that_hangs_is_tried_on_a_new_server(connect, site):
    """After a time-out the server is stopped; the next try finds a fresh one."""
    backend = connect(call_timeout_seconds=3)
    task = await backend.create_task(NEW)
    first = backend._process.pid
    site.show(task.id, status="running")
    site.fail("jules_get_task", "hang")
    assert "running" == (await backend.get_task(task.id)).raw_state
    assert not is_running(first)


@pytest.mark.parametrize("kind", ["hang", "die"])
async def test_a_create_without_an_answer_is_sent_once(connect, site, kind):
    """It may have happened, so it is not repeated; the next call works again."""
    backend = connect(call_timeout_seconds=3)
    await backend.list_tasks()
    site.fail("jules_create_task", kind)
    with pytest.raises(UnclearOutcomeError, match="may have happened"):
        await backend.create_task(NEW)
    assert 1 == site.calls().count("jules_create_task")
    assert [] == list(await backend.list_tasks())


async def test_a_server_that_keeps_dying_is_left_alone(connect, clock):
    """Restarts back off, and after five failures in a row none is tried for a while."""
    backend = connect("exit")
    messages = []
    for _ in range(6):
        with pytest.raises(MCPConnectionError) as caught:
            await backend._process.start()
        messages.append(caught.value.message)
    assert [0.5, 1, 2, 4] == [round(wait, 0) if wait > 0.6 else 0.5 for wait in clock.waits]
    assert "failed 5 times in a row" in messages[-1]


async def test_a_server_that_will_not_go_is_killed(connect):
    """Closing stdin and SIGTERM do not end it; SIGKILL does."""
    backend = connect("ignore-term")
    await backend.list_tasks()
    pid = backend._process.pid
    await backend.aclose()
    assert not is_running(pid)


async def test_a_server_that_lingers_is_terminated(connect):
    """A server that outlives its stdin, as one with a browser does, gets SIGTERM."""
    backend = connect("linger")
    await backend.list_tasks()
    pid = backend._process.pid
    await backend.aclose()
    assert not is_running(pid)


@pytest.mark.parametrize(
    ("tool", "text", "error", "words"),
    [
        ("jules_get_task", "Failed to get task: browserType.launch: Executable doesn't exist at /x",
         ConfigurationError, "has no browser"),
        ("jules_get_task", "Failed: browserType.launch: Target page has been closed /usr/bin/chrome --x",
         ConfigurationError, "cannot start its browser"),
        ("jules_create_task", f"Failed to create task: TimeoutError: locator.click: Timeout 30000ms exceeded.\n{ANSI}",
         InvalidInputError, "does not offer this repository"),
        ("jules_create_task", ("Failed: TimeoutError: page.waitForURL: Timeout 30000ms exceeded.\n"
         "  navigated to https://jules.google.com/session/998877?x=1"), UnclearOutcomeError,
         "The page had reached https://jules.google.com/session/998877"),
        ("jules_create_task", "CHROME_USER_DATA_DIR must be set for chrome-profile mode",
         ConfigurationError, "set up wrongly"),
        ("jules_send_message", "Failed: TimeoutError: locator.fill: Timeout 30000ms exceeded.",
         AuthenticationError, "no box for a message"),
        ("jules_approve_plan", "Failed: strict mode violation: two buttons", OperationFailedError,
         "strict mode violation"),
        ("jules_resume_task", "page.goto: Target page, context or browser has been closed",
         MCPConnectionError, "browser has ended"),
        ("jules_approve_plan", "MCP error -32601: Unknown tool: jules_approve_plan",
         UnsupportedOperationError, "has no tool"),
        ("jules_get_task", "Failed: page.goto: net::ERR_ABORTED at https://x", MCPConnectionError,
         "did not load"),
    ],
)  # fmt: skip
async def test_refusals_in_our_words(connect, site, tool, text, error, words):
    """Each known failure becomes its own error, in one line without codes and paths."""
    backend = connect()
    site.store({"id": "1", "status": "pending"})
    site.fail(tool, "error", text, times=2)
    calls = {
        "jules_get_task": lambda: backend.get_task("1"),
        "jules_create_task": lambda: backend.create_task(NEW),
        "jules_send_message": lambda: backend.send_message("1", "x"),
        "jules_approve_plan": lambda: backend.approve_plan("1"),
        "jules_resume_task": lambda: backend.resume_task("1"),
    }
    with pytest.raises(error) as caught:
        await calls[tool]()
    assert words in caught.value.message
    assert "\x1b" not in caught.value.message
    assert "\n" not in caught.value.message
    if tool != "jules_get_task":
        assert 1 == len(site.calls())


async def test_a_dead_browser_restarts_the_server(connect, site):
    """The server never starts a second browser, so it is replaced before the next call."""
    backend = connect()
    site.store({"id": "1", "status": "pending"})
    site.show("1", status="running")
    await backend.get_task("1")
    first = backend._process.pid
    site.fail(
        "jules_get_task", "error", "page.goto: Target page, context or browser has been closed"
    )
    assert "running" == (await backend.get_task("1")).raw_state
    assert first != backend._process.pid


@pytest.mark.parametrize("kind", ["text", "malformed", "tool-error"])
async def test_answers_of_another_form(connect, site, kind):
    """A create whose answer cannot be read may have happened; a read says what is odd."""
    backend = connect()
    site.store({"id": "1", "status": "pending"})
    site.fail("jules_create_task", kind, "something else")
    site.fail("jules_get_task", kind, "something else", times=5)
    with pytest.raises((UnclearOutcomeError, OperationFailedError)):
        await backend.create_task(NEW)
    with pytest.raises(OperationFailedError):
        await backend.get_task("1")
    assert 1 == site.calls().count("jules_create_task")

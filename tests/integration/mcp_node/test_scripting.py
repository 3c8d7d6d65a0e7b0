"""The tickets' classes MCPClient, Storage and JobManager, used as a script would."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jules_job_manager import (
    JobManager,
    MCPClient,
    MCPConnectionError,
    OperationFailedError,
    Storage,
    TaskStatus,
)
from jules_job_manager.errors import (
    InvalidInputError,
    UnclearOutcomeError,
    UnsupportedOperationError,
)


@pytest.fixture
def client(node_server, site):
    with MCPClient(
        node_server[1], node_path=node_server[0], environment=site.environment
    ) as client:
        yield client


@pytest.fixture(params=["tasks.json", "tasks.db"])
def manager(request, client, tmp_path):
    with (
        Storage(tmp_path / "data" / request.param) as storage,
        JobManager(client, storage) as manager,
    ):
        yield manager


def test_tools_are_listed_and_called(client):
    """Tools come with their schemas, and a result is the server's own object."""
    names = [tool["name"] for tool in client.list_tools()]
    assert "jules_create_task" in names
    result = client.call_tool("jules_list_tasks", {})
    (block,) = result["content"]
    assert "Jules Tasks (0 of 0 total):\n\nNo tasks found." == block["text"]


def test_a_failing_tool_raises(client, site):
    """Unknown tools, reported errors and refusals are errors of ours."""
    with pytest.raises(UnsupportedOperationError):
        client.call_tool("jules_nope")
    site.fail("jules_get_task", "tool-error", "no such page")
    with pytest.raises(OperationFailedError, match="no such page"):
        client.call_tool("jules_get_task", {"taskId": "1"})
    site.fail("jules_get_task", "die")
    with pytest.raises(UnclearOutcomeError):
        client.call_tool("jules_get_task", {"taskId": "1"})
    assert client.list_tools()


def test_a_dead_browser_is_replaced_for_the_next_call(client, site):
    """The server never starts a second browser, so a call after the refusal gets a new server."""
    first = client._process.pid
    dead = "page.goto: Target page, context or browser has been closed"
    for kind in ("error", "tool-error"):
        site.fail("jules_get_task", kind, dead)
        with pytest.raises(MCPConnectionError, match="browser has ended"):
            client.call_tool("jules_get_task", {"taskId": "1"})
        assert client.list_tools()
        assert first != client._process.pid
        first = client._process.pid


def test_a_server_that_is_not_there(tmp_path):
    """Entering the client says that the server cannot be started, and leaves nothing behind."""
    client = MCPClient(tmp_path / "none.js", node_path=str(tmp_path / "no-node"))
    with pytest.raises(MCPConnectionError, match="cannot be started"):
        client.list_tools()
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="was closed"):
        client.list_tools()


def test_server_path_and_command_exclude_each_other():
    """One of the two must be given."""
    with pytest.raises(ValueError, match="either"):
        MCPClient()


def test_a_task_from_creation_to_the_end(manager, site):
    """Every operation of the tickets works and is kept in the storage."""
    task = manager.create_task("Add a greeting", "octo/demo")
    assert (TaskStatus.PENDING, "main") == (task.status, task.branch)
    with pytest.raises(OperationFailedError, match="not waiting for approval"):
        manager.approve_plan(task.id)
    site.show(task.id, status="Waiting for approval", plan=True)
    assert TaskStatus.WAITING_APPROVAL is manager.get_task(task.id[:19]).status
    assert manager.approve_plan(task.id)
    assert manager.send_message(task.id, "Thank you.")
    site.show(task.id, status="paused", paused=True)
    assert manager.resume_task(task.id)
    site.show(task.id, status="completed", files=["a.py"])
    lines = []
    manager.monitor_task(task.id, interval=0, report=lines.append)
    assert [line.split("  ", 1)[1] for line in lines] == ["completed, 1 source files: Thank you."]
    assert [task.id] == [found.id for found in manager.list_tasks("completed")]
    assert [] == manager.list_tasks("failed")
    stored = manager.storage.get_task(task.id)
    assert ["Thank you."] == [message.content for message in stored.chat_history]
    assert [task.id] == [found.id for found in manager.storage.list_tasks()]
    manager.storage.save_task(replace(stored, title="Renamed"))
    assert "Renamed" == manager.storage.get_task(task.id).title
    assert manager.storage.delete_task(task.id)
    assert not manager.storage.delete_task(task.id)
    assert manager.storage.get_task(task.id) is None


def test_a_wrong_status_is_named(manager):
    """A filter that is no status lists the ones there are."""
    with pytest.raises(InvalidInputError, match="no status 'active'") as caught:
        manager.list_tasks("active")
    assert "waiting_approval" in str(caught.value.hint)


def test_the_list_falls_back_to_what_is_stored(manager, site):
    """When the server is away, what was seen is returned."""
    task = manager.create_task("Add a greeting", "octo/demo")
    site.data.unlink()
    site.fail("jules_list_tasks", "die", times=9)
    assert [task.id] == [found.id for found in manager.list_tasks()]


def test_a_list_does_not_forget_what_a_look_has_shown(node_server, site, tmp_path):
    """The server lists every task as pending for ever; what was seen on its page stays."""
    command = {"node_path": node_server[0], "environment": site.environment}
    for number in range(2):
        with (
            MCPClient(node_server[1], **command) as client,
            Storage(tmp_path / "tasks.db") as storage,
            JobManager(client, storage) as manager,
        ):
            if number == 0:
                task = manager.create_task("Add a greeting", "octo/demo")
                site.show(task.id, status="paused")
                manager.get_task(task.id)
            (listed,) = manager.list_tasks()
            assert TaskStatus.PAUSED is listed.status

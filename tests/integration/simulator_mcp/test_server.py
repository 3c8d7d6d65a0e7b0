"""The simulated MCP server speaks as google-jules-mcp does.

Source of every expected text: google-jules-mcp facts, sections 3 to 8.
"""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

STORED = {
    "tasks": [
        {"id": "1", "title": "First", "description": "First", "repository": "o/r", "branch": "main",
         "status": "pending", "createdAt": "2026-01-02T23:30:00.000Z",
         "updatedAt": "2026-01-02T23:30:00.000Z", "url": "https://jules.google.com/task/1",
         "chatHistory": [], "sourceFiles": []},
        {"id": "2", "repository": "o/q", "status": "paused", "createdAt": "never", "url": "u"},
    ]
}  # fmt: skip
OFFLINE = [
    ("ping", None), ("nope", None), ("prompts/list", None), ("resources/templates/list", None),
    ("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
    ("initialize", {"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
    ("resources/read", {"uri": "jules://current/active-tasks"}), ("resources/read", {"uri": "jules://x"}),
    ("tools/call", None), ("tools/call", {"arguments": {}}),
    ("tools/call", {"name": "jules_list_tasks", "arguments": None}),
    *(("tools/call", {"name": "jules_list_tasks", "arguments": arguments}) for arguments in (
        {}, {"limit": 0}, {"limit": 1}, {"limit": -1}, {"limit": "1"}, {"limit": "x"}, {"status": "paused"},
        {"status": "active"}, {"status": 5})),
    *(("tools/call", {"name": name, "arguments": {}}) for name in (
        "jules_nope", "jules_get_task", "jules_resume_task", "jules_bulk_create_tasks",
        "jules_session_info")),
    *(("tools/call", {"name": name}) for name in (
        "jules_list_tasks", "jules_get_task", "jules_create_task", "jules_send_message",
        "jules_approve_plan", "jules_analyze_code", "jules_bulk_create_tasks")),
    ("tools/call", {"name": "jules_get_task", "arguments": {"taskId": 5}}),
    ("tools/call", {"name": "jules_bulk_create_tasks", "arguments": {"tasks": []}}),
]  # fmt: skip


def test_the_catalogue(start):
    """Thirteen tools and eight resources, in order, also before the handshake."""
    talk = start()
    tools = talk.ask("tools/list")["result"]["tools"]
    assert [
        "jules_create_task", "jules_get_task", "jules_list_tasks", "jules_send_message",
        "jules_approve_plan", "jules_resume_task", "jules_analyze_code", "jules_bulk_create_tasks",
        "jules_session_info", "jules_setup_wizard", "jules_get_cookies", "jules_set_cookies",
        "jules_screenshot",
    ] == [tool["name"] for tool in tools]  # fmt: skip
    assert all({"name", "description", "inputSchema"} == set(tool) for tool in tools)
    uris = [r["uri"] for r in talk.ask("resources/list")["result"]["resources"]]
    assert 8 == len(uris) == len(set(uris))
    for uri in uris:
        (content,) = talk.ask("resources/read", {"uri": uri})["result"]["contents"]
        assert uri == content["uri"]


def test_it_answers_as_the_real_server_does(start, real, environment, tmp_path):
    """What needs no browser is the same, byte for byte, with a real server."""
    (tmp_path / "data.json").write_text(json.dumps(STORED))
    ours = start()
    for method, params in OFFLINE:
        assert real.ask(method, params) == ours.ask(method, params), (method, params)

    def shape(talk):
        return [_bare(tool) for tool in talk.ask("tools/list")["result"]["tools"]]

    assert shape(real) == shape(ours)


def _bare(value):
    """Return a schema without the words that describe it."""
    if isinstance(value, dict):
        return {
            k: _bare(v) for k, v in value.items() if not (k == "description" and isinstance(v, str))
        }
    return [_bare(v) for v in value] if isinstance(value, list) else value


def test_the_list(start, tmp_path):
    """Entries, counts and dates stand as the real server prints them."""
    (tmp_path / "data.json").write_text(json.dumps(STORED))
    talk = start()
    assert (
        "Jules Tasks (2 of 2 total):\n\n"
        "1 - First\n  Repository: o/r\n  Status: pending\n  Created: 1/2/2026\n"
        "  URL: https://jules.google.com/task/1\n\n"
        "2 - undefined\n  Repository: o/q\n  Status: paused\n  Created: Invalid Date\n  URL: u\n"
    ) == talk.call("jules_list_tasks")
    assert "Jules Tasks (0 of 2 total):\n\nNo tasks found." == talk.call(
        "jules_list_tasks", limit=0
    )
    assert "(0 of 0 total)" in talk.call("jules_list_tasks", status="active")
    active = talk.ask("resources/read", {"uri": "jules://current/active-tasks"})
    (content,) = active["result"]["contents"]
    assert [STORED["tasks"][0]] == json.loads(content["text"])


@pytest.mark.parametrize(
    ("locale", "zone", "date"),
    [("en_US.UTF-8", "UTC", "1/2/2026"), ("de_DE.UTF-8", "UTC", "2.1.2026"),
     ("en_GB.UTF-8", "UTC", "02/01/2026"), ("ja_JP.UTF-8", "Asia/Tokyo", "2026/1/3")],
)  # fmt: skip
def test_dates_depend_on_locale_and_zone(start, tmp_path, locale, zone, date):
    """The same instant is printed in the form of the server's own surroundings."""
    (tmp_path / "data.json").write_text(json.dumps(STORED))
    talk = start(environ={"LC_ALL": locale, "TZ": zone})
    assert f"Created: {date}\n" in talk.call("jules_list_tasks", limit=1)


def test_a_task_in_texts(start, tmp_path):
    """Create, look, send, approve and resume print what the real server prints."""
    talk = start(speed=100000, mcp={"untrimmed_status": True})
    text = talk.call(
        "jules_create_task", description="Add\nURL: x", repository="octo/sample", branch="dev"
    )
    task_id = text.split("Task ID: ")[1].split("\n")[0]
    url = f"https://jules.google.com/task/{task_id}"
    assert (
        f"Task created successfully!\n\nTask ID: {task_id}\nRepository: octo/sample\nBranch: dev\n"
        f"Description: Add\nURL: x\nURL: {url}\n\nTask is now pending Jules' analysis. "
        "You can check progress with jules_get_task."
    ) == text
    waiting = "\n        waiting for approval\n      "
    assert (
        f"Task Details ({task_id}):\n\nStatus: {waiting}\nURL: {url}\nSource Files (0):\n\n\n"
        "Recent Chat Messages (0):\n"
    ) == talk.call("jules_get_task", taskId=task_id)
    assert (
        f"Plan approved for task {task_id}. Jules will now execute the planned changes."
    ) == talk.call("jules_approve_plan", taskId=url)
    assert (
        f"No plan approval needed for task {task_id}. "
        "The task may already be approved or not ready for approval yet."
    ) == talk.call("jules_approve_plan", taskId=task_id)
    assert (
        f'Message sent to Jules task {task_id}: "say "hi""\n\n'
        "Jules is processing your request. Check back with jules_get_task to see the response."
    ) == talk.call("jules_send_message", taskId=task_id, message='say "hi"')
    assert (f"Task {task_id} doesn't appear to be paused or may already be active.") == talk.call(
        "jules_resume_task", taskId=task_id
    )
    seen = talk.call("jules_get_task", taskId=task_id)
    assert '  - say "hi"...' in seen
    assert f"Code Analysis for Task {task_id}:\n\nTotal Files: 1\n" in talk.call(
        "jules_analyze_code", taskId=task_id
    )
    (stored,) = json.loads((tmp_path / "data.json").read_text())["tasks"]
    assert ("pending", "dev", "system") == (
        stored["status"], stored["branch"], stored["chatHistory"][0]["type"],
    )  # fmt: skip
    bulk = talk.call(
        "jules_bulk_create_tasks",
        tasks=[
            {"description": "one", "repository": "octo/sample"},
            {"description": "two", "repository": "x/y"},
        ],
    )
    assert bulk.startswith(
        "Bulk Task Creation Results (2 tasks):\n\n✓ octo/sample: one...\n✗ x/y: Failed - Error: "
        "Failed to create task: TimeoutError: locator.click: Timeout 30000ms exceeded.\n"
    )


def test_session_info_and_the_rest(start):
    """The doubled escape is there, and what is set in the environment shows."""
    talk = start(environ={"HEADLESS": "false", "TIMEOUT": "soon", "SESSION_MODE": "cookies"})
    text = talk.call("jules_session_info")
    assert text.startswith("Jules MCP Session Info:\\n{")
    info = json.loads(text[text.index("{") :])
    assert (False, None, "cookies", False) == (
        info["isHeadless"], info["timeout"], info["sessionMode"], info["browserConnected"],
    )  # fmt: skip
    assert "Cookies (0 total):\\n[]" == talk.call("jules_get_cookies")
    assert "Successfully set 1 cookies." in talk.call("jules_set_cookies", cookies="a=b; domain=x")
    assert "\\n" in talk.call("jules_setup_wizard")
    assert "Failed to take screenshot" in talk.call("jules_screenshot")


def test_junk_gets_no_answer(start):
    """Lines that are no requests are passed over in silence."""
    talk = start()
    for line in (
        "junk",
        "{",
        "[]",
        '{"jsonrpc": "2.0"}',
        '{"id": 1, "method": "ping"}',
        "[" * 5000,
    ):
        talk.send(line)
    assert {} == talk.ask("ping")["result"]


def test_it_ends_with_stdin_only_while_no_browser_is_open(start):
    """After a page was opened, only SIGTERM ends it, as with the real server."""
    quiet = start()
    quiet.ask("ping")
    _, said = quiet.process.communicate(timeout=20)
    assert 0 == quiet.process.returncode
    assert said.startswith(
        "Google Jules MCP Server running on stdio\nConfiguration: {\n  headless: true,"
    )
    busy = start()
    busy.call("jules_get_task", taskId="1")
    busy.process.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        busy.process.wait(timeout=1)
    busy.process.send_signal(signal.SIGTERM)
    assert 0 == busy.process.wait(timeout=20)
    assert "Shutting down Jules MCP Server..." in busy.process.stderr.read()


def test_overlapping_calls_act_on_the_wrong_task(start):
    """One page serves all calls: an approval can click another task's button."""
    talk = start(speed=5)
    ids = []
    for number in range(2):
        text = talk.call("jules_create_task", description=f"n{number}", repository="octo/sample")
        ids.append(text.split("Task ID: ")[1].split("\n")[0])
    while not all("waiting" in talk.call("jules_get_task", taskId=task_id) for task_id in ids):
        pass
    first = talk.begin(
        "tools/call", {"name": "jules_approve_plan", "arguments": {"taskId": ids[1]}}
    )
    talk.begin("tools/call", {"name": "jules_get_task", "arguments": {"taskId": ids[0]}})
    answers = {answer["id"]: answer for answer in (talk.answer(), talk.answer())}
    approved = answers[first]["result"]["content"][0]["text"]
    assert f"Plan approved for task {ids[1]}." in approved
    assert "waiting for approval" in talk.call("jules_get_task", taskId=ids[1])
    assert "waiting for approval" not in talk.call("jules_get_task", taskId=ids[0])


@pytest.mark.parametrize(
    ("switch", "tool", "words"),
    [
        ({"has_browser": False}, "jules_get_task", "browserType.launch: Executable doesn't exist at"),
        ({"signed_in": False}, "jules_create_task", "div.repo-select div.header-container"),
        ({"signed_in": False}, "jules_send_message", "TimeoutError: locator.fill: Timeout 30000ms"),
        ({"signed_in": False}, "jules_get_task", "Status: unknown"),
        ({"signed_in": False}, "jules_approve_plan", "No plan approval needed"),
        ({"time_outs": 1}, "jules_get_task", "page.waitForLoadState: Timeout 30000ms exceeded."),
        ({"lose_creates": 1}, "jules_create_task", 'navigated to "https://jules.google.com/session/'),
        ({"browser_dies_after": 1}, "jules_get_task", "Target page, context or browser has been closed"),
        ({"id_keeps_query": True}, "jules_create_task", "?hl=en\nRepository:"),
        ({"start_seconds": 5.0}, "jules_get_task", "Status: unknown"),
    ],
)  # fmt: skip
def test_switches(start, switch, tool, words):
    """Each way of going wrong is a switch of the scenario."""
    talk = start(mcp=switch, speed=10)
    arguments = {"description": "x", "repository": "octo/sample", "taskId": "1", "message": "x"}
    if "browser_dies_after" in switch:
        talk.call(tool, **arguments)
    assert words in talk.call(tool, **arguments)


def test_a_damaged_data_file(start, tmp_path):
    """The words are JavaScript's."""
    for content, words in (("{x", "Expected property name or '}' in JSON at position 1"),
                           ("{}", "Cannot read properties of undefined (reading 'slice')")):  # fmt: skip
        (tmp_path / "data.json").write_text(content)
        assert words in start().call("jules_list_tasks")

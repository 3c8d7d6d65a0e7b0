"""The tools and resources the server offers: names, order, arguments and enums as the real one has.

The texts that describe them are ours. Source: google-jules-mcp facts, sections 4 and 7.
"""

from __future__ import annotations

import json
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TASK_ID: Schema = {"taskId": {**TEXT, "description": "Id or address of the task"}}
NEW_TASK: Schema = {
    "description": {**TEXT, "description": "What Jules shall do"},
    "repository": {**TEXT, "description": "owner/name"},
    "branch": {**TEXT, "description": "Branch to work on; the pretend page ignores it too"},
}
ACTIVE_TASKS = "jules://current/active-tasks"


def _tool(
    name: str, description: str, properties: Schema, required: tuple[str, ...] = ()
) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return {"name": name, "description": description, "inputSchema": schema}


def _choice(*values: str) -> Schema:
    return {**TEXT, "enum": list(values)}


_BULK = {
    "type": "object",
    "properties": dict.fromkeys(NEW_TASK, TEXT),
    "required": ["description", "repository"],
}
_PREFERENCES = {
    "type": "object",
    "properties": {
        "priority": _choice("ease-of-use", "reliability", "portability", "performance"),
        "hasChrome": {"type": "boolean"},
        "cloudDeployment": {"type": "boolean"},
    },
}

TOOLS: tuple[Schema, ...] = (
    _tool("jules_create_task", "Create a task", NEW_TASK, ("description", "repository")),
    _tool("jules_get_task", "Look at one task", TASK_ID, ("taskId",)),
    _tool(
        "jules_list_tasks",
        "List the tasks made here",
        {
            "status": _choice("all", "active", "pending", "completed", "paused"),
            "limit": {"type": "number"},
        },
    ),
    _tool(
        "jules_send_message",
        "Send a message to a task",
        {**TASK_ID, "message": TEXT},
        ("taskId", "message"),
    ),
    _tool("jules_approve_plan", "Approve the plan that waits", TASK_ID, ("taskId",)),
    _tool("jules_resume_task", "Resume a paused task", TASK_ID, ("taskId",)),
    _tool(
        "jules_analyze_code",
        "Sum up what a task changed",
        {**TASK_ID, "includeSourceCode": {"type": "boolean"}},
        ("taskId",),
    ),
    _tool(
        "jules_bulk_create_tasks",
        "Create several tasks",
        {"tasks": {"type": "array", "items": _BULK}},
        ("tasks",),
    ),
    _tool("jules_session_info", "Tell the set-up of the browser session", {}),
    _tool(
        "jules_setup_wizard",
        "Help to set up the browser session",
        {
            "environment": _choice("local", "cloud", "smithery", "auto-detect"),
            "preferences": _PREFERENCES,
        },
    ),
    _tool("jules_get_cookies", "Show the browser's cookies", {"format": _choice("json", "string")}),
    _tool(
        "jules_set_cookies",
        "Set the browser's cookies",
        {"cookies": TEXT, "format": _choice("json", "string")},
        ("cookies",),
    ),
    _tool("jules_screenshot", "Picture the page", {"taskId": TEXT, "filename": TEXT}),
)

_JSON, _PLAIN = "application/json", "text/plain"
_RESOURCES = (
    ("jules://schemas/task", "Task Schema", _JSON),
    (ACTIVE_TASKS, "Active Tasks", _JSON),
    ("jules://templates/common-tasks", "Common Task Templates", _JSON),
    ("jules://prompts/session-setup", "Session Setup Automation", _PLAIN),
    ("jules://prompts/cookie-extraction", "Cookie Extraction Guide", _PLAIN),
    ("jules://prompts/browserbase-setup", "Browserbase Configuration", _PLAIN),
    ("jules://guides/session-modes", "Session Mode Selection Guide", _PLAIN),
    ("jules://troubleshooting/authentication", "Authentication Troubleshooting", _PLAIN),
)
RESOURCES: tuple[Schema, ...] = tuple(
    {"uri": uri, "name": name, "description": f"{name} of the pretend server", "mimeType": kind}
    for uri, name, kind in _RESOURCES
)


def fixed_resource(uri: str) -> tuple[str, str] | None:
    """Return media type and text of a resource that never changes, or None when there is none."""
    found = next((resource for resource in RESOURCES if resource["uri"] == uri), None)
    if found is None or uri == ACTIVE_TASKS:
        return None
    if found["mimeType"] == _JSON:
        return _JSON, json.dumps({"note": "The pretend server has no more to say here."}, indent=2)
    return _PLAIN, "The pretend server needs no browser, no cookies and no sign-in."

"""What each tool does on the page, and its result text, byte for byte.

Source: google-jules-mcp facts, sections 5, 6 and 8.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.mcp_face.data_file import DataFile
from jules_job_manager.adapters.backends.simulator.mcp_face.javascript import (
    cut,
    first,
    iso,
    length,
    locale_date,
    stringify,
)
from jules_job_manager.adapters.backends.simulator.mcp_face.site import (
    ElementMissingError,
    Site,
    View,
)

WEB = "https://jules.google.com"
PAGE_SECONDS = 0.6
MESSAGE_SECONDS = 2.0
LONGEST_SECONDS = 30.0
Arguments = Mapping[str, Any]


class ToolError(Exception):
    """A tool failed; the text is what stands after `Error in <tool>: `."""


class Tools:
    """The tools of one server process: one browser, and one page that all calls share."""

    def __init__(self, simulator: Simulator, data: DataFile, environ: Mapping[str, str]) -> None:
        """Work on the site of `simulator`, keep tasks in `data`, take the set-up from `environ`."""
        self._sim = simulator
        self._site = Site(simulator)
        self._data = data
        self._environ = environ
        self._page_at = ""
        self._page_calls = 0
        self.browser_is_open = False
        self._by_name: dict[str, Callable[[Arguments], Awaitable[str]]] = {
            "jules_create_task": self._create,
            "jules_get_task": self._get,
            "jules_list_tasks": self._list,
            "jules_send_message": self._send,
            "jules_approve_plan": self._approve,
            "jules_resume_task": self._resume,
            "jules_analyze_code": self._analyze,
            "jules_bulk_create_tasks": self._bulk_create,
            "jules_session_info": self._session_info,
            "jules_setup_wizard": self._setup_wizard,
            "jules_get_cookies": self._get_cookies,
            "jules_set_cookies": self._set_cookies,
            "jules_screenshot": self._screenshot,
        }

    async def call(self, name: str, arguments: Arguments | None) -> str:
        """Do what the tool does and return its text. Arguments are not validated, as there.

        Raises:
            ToolError: it failed.
        """
        tool = self._by_name.get(name)
        if tool is None:
            raise ToolError(f"MCP error -32601: Unknown tool: {name}")
        if arguments is None:
            if name in _FIRST_ARGUMENT:
                raise ToolError(_without_arguments(name))
            arguments = {}
        return await tool(arguments)

    def active_tasks(self) -> str:
        """Return the resource of active tasks: whole stored objects, as JSON."""
        tasks = [t for t in self._data.tasks() if t.get("status") in {"pending", "in_progress"}]
        return stringify(tasks, indent=2)

    async def _create(self, arguments: Arguments) -> str:
        description, repository = arguments.get("description"), arguments.get("repository")
        branch = arguments.get("branch", "main")
        async with self._working("create task"):
            await self._visit(f"{WEB}/task")
            for name, value in (("repository", repository), ("description", description)):
                if not isinstance(value, str):
                    kind = "undefined" if name not in arguments else type(value).__name__
                    raise ToolError(f"Error: locator.fill: value: expected string, got {kind}")
            task_id = await asyncio.to_thread(self._site.create, str(description), str(repository))
            if self._site.strikes("lose_creates"):
                raise ElementMissingError(
                    "page.waitForURL", "**/task/**", reached=f"{WEB}/session/{task_id}"
                )
        shown = task_id + ("?hl=en" if self._site.switches.id_keeps_query else "")
        url = f"{WEB}/task/{shown}"
        self._remember(shown, str(description), str(repository), str(branch), url)
        return (
            f"Task created successfully!\n\nTask ID: {shown}\nRepository: {repository}\n"
            f"Branch: {branch}\nDescription: {description}\nURL: {url}\n\n"
            "Task is now pending Jules' analysis. You can check progress with jules_get_task."
        )

    async def _get(self, arguments: Arguments) -> str:
        task_id, url = _task(arguments)
        async with self._working("get task"):
            view = await self._look(url)
            now = self._now()
            tasks = self._data.tasks()
            for task in tasks:
                if task.get("id") == task_id:
                    task["chatHistory"] = [
                        {"content": text, "timestamp": now, "type": "system"}
                        for text in view.messages
                    ]
                    task["sourceFiles"] = [
                        {"filename": name, "url": "", "status": "modified"} for name in view.files
                    ]
                    task["updatedAt"] = now
                    self._data.save(tasks)
                    break
        chat = "\n".join(f"  - {cut(text, 100)}..." for text in view.messages[-3:])
        return (
            f"Task Details ({task_id}):\n\nStatus: {view.status or 'unknown'}\nURL: {url}\n"
            f"Source Files ({len(view.files)}):\n{_listed(view.files)}\n\n"
            f"Recent Chat Messages ({len(view.messages)}):\n{chat}"
        )

    async def _list(self, arguments: Arguments) -> str:
        status, limit = arguments.get("status", "all"), arguments.get("limit", 10)
        try:
            tasks = self._data.tasks()
        except ValueError as exc:
            raise ToolError(str(exc)) from exc
        matching = [t for t in tasks if status == "all" or t.get("status") == status]
        shown = first(matching, limit)
        entries = "\n".join(
            f"{_js(t, 'id')} - {_js(t, 'title')}\n  Repository: {_js(t, 'repository')}\n"
            f"  Status: {_js(t, 'status')}\n"
            f"  Created: {locale_date(t.get('createdAt'), self._environ)}\n  URL: {_js(t, 'url')}\n"
            for t in shown
        )
        head = f"Jules Tasks ({len(shown)} of {len(matching)} total):\n\n"
        return head + (entries or "No tasks found.")

    async def _send(self, arguments: Arguments) -> str:
        task_id, url = _task(arguments)
        message = arguments.get("message")
        async with self._working("send message"):
            await self._visit(url)
            await asyncio.to_thread(self._site.send, self._page_at, str(message))
            if self._site.strikes("lose_messages"):
                raise ElementMissingError("locator.press", "")
            await self._pass(MESSAGE_SECONDS)
        return (
            f'Message sent to Jules task {task_id}: "{message}"\n\n'
            "Jules is processing your request. Check back with jules_get_task to see the response."
        )

    async def _approve(self, arguments: Arguments) -> str:
        task_id, url = _task(arguments)
        async with self._working("approve plan"):
            await self._visit(url)
            done = await asyncio.to_thread(self._site.approve, self._page_at)
        if done:
            return f"Plan approved for task {task_id}. Jules will now execute the planned changes."
        return (
            f"No plan approval needed for task {task_id}. "
            "The task may already be approved or not ready for approval yet."
        )

    async def _resume(self, arguments: Arguments) -> str:
        task_id, url = _task(arguments)
        async with self._working("resume task"):
            await self._visit(url)
            done = await asyncio.to_thread(self._site.resume, self._page_at)
        if done:
            return f"Task {task_id} resumed successfully. Jules will continue working on this task."
        return f"Task {task_id} doesn't appear to be paused or may already be active."

    async def _analyze(self, arguments: Arguments) -> str:
        task_id, url = _task(arguments)
        async with self._working("analyze code"):
            view = await self._look(url)
        changes = "\n".join(f"  - {cut(name, 100)}..." for name in view.files)
        return (
            f"Code Analysis for Task {task_id}:\n\nTotal Files: {len(view.files)}\n"
            f"Total Changes: {len(view.files)}\n\nModified Files:\n{_listed(view.files)}\n\n"
            f"Code Changes Summary:\n{changes}"
        )

    async def _bulk_create(self, arguments: Arguments) -> str:
        tasks = arguments.get("tasks")
        if not isinstance(tasks, list):
            raise ToolError("tasks is not iterable")
        lines = []
        for task in tasks:
            given = task if isinstance(task, Mapping) else {}
            try:
                await self._create(given)
                start = cut(str(given.get("description")), 50)
                lines.append(f"✓ {_js(given, 'repository')}: {start}...")
            except ToolError as exc:
                lines.append(f"✗ {_js(given, 'repository')}: Failed - Error: {exc}")
        return f"Bulk Task Creation Results ({len(tasks)} tasks):\n\n" + "\n".join(lines)

    async def _session_info(self, arguments: Arguments) -> str:
        del arguments
        given = self._environ.get
        try:
            timeout: int | None = int(given("TIMEOUT") or 30000)
        except ValueError:
            timeout = None  # NaN, which JSON writes as null
        info = {
            "sessionMode": given("SESSION_MODE") or "fresh",
            "hasUserDataDir": bool(given("CHROME_USER_DATA_DIR")),
            "hasCookiePath": bool(given("COOKIES_PATH")),
            "hasGoogleAuthCookies": bool(given("GOOGLE_AUTH_COOKIES")),
            "hasBrowserbaseConfig": bool(
                given("BROWSERBASE_API_KEY") and given("BROWSERBASE_PROJECT_ID")
            ),
            "isHeadless": given("HEADLESS") != "false",
            "timeout": timeout,
            "baseUrl": WEB,
            "dataPath": str(self._data.path),
            "browserConnected": self.browser_is_open,
            "pageReady": self.browser_is_open,
        }
        # The two characters backslash and n stand there literally: a bug of the real server.
        return "Jules MCP Session Info:\\n" + stringify(info, indent=2)

    async def _setup_wizard(self, arguments: Arguments) -> str:
        environment = arguments.get("environment", "auto-detect")
        steps = ("Nothing has to be set up for the pretend server.", "Create a task.")
        return f"# Setup ({environment})\n\nNext Steps:\n" + "\\n".join(steps)

    async def _get_cookies(self, arguments: Arguments) -> str:
        async with self._working("get cookies"):
            await self._visit(WEB)
        return (
            "Cookie String:\\n"
            if arguments.get("format") == "string"
            else "Cookies (0 total):\\n[]"
        )

    async def _set_cookies(self, arguments: Arguments) -> str:
        async with self._working("set cookies"):
            await self._visit(WEB)
        parts = (part.strip() for part in str(arguments.get("cookies", "")).split(";"))
        count = sum("=" in part and not part.startswith("domain=") for part in parts)
        return (
            f"Successfully set {count} cookies. "
            "Session authentication should now work for Google Jules."
        )

    async def _screenshot(self, arguments: Arguments) -> str:
        del arguments
        raise ToolError("Failed to take screenshot: Error: the pretend browser draws nothing")

    def _working(self, operation: str) -> _PageWork:
        return _PageWork(operation, self._open_browser, self._pass)

    def _open_browser(self) -> None:
        if not self._site.switches.has_browser:
            raise ToolError(
                "browserType.launch: Executable doesn't exist at /home/you/.cache/ms-playwright/"
                "chromium_headless_shell/headless_shell\n╔════╗\n║ Please run the following command "
                "to download new browsers: ║\n║     npx playwright install ║\n╚════╝"
            )
        self.browser_is_open = True

    async def _look(self, url: str) -> View:
        await self._visit(url)
        return await asyncio.to_thread(self._site.view, self._page_at)

    async def _visit(self, url: str) -> None:
        """Move the one page; by the time it has loaded, another call may have moved it on."""
        self._page_calls += 1
        dies = self._site.switches.browser_dies_after
        if dies and self._page_calls > dies:
            raise ToolError("Error: page.goto: Target page, context or browser has been closed")
        self._page_at = re.split(r"[?#]", url.rsplit("/", 1)[-1])[0]
        if self._site.strikes("time_outs"):
            raise ElementMissingError("page.waitForLoadState", "")
        await self._pass(PAGE_SECONDS)

    def _now(self) -> str:
        return iso(datetime.fromtimestamp(self._sim.present(), UTC))

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(self._sim.real_seconds(seconds))

    def _remember(
        self, task_id: str, description: str, repository: str, branch: str, url: str
    ) -> None:
        now = self._now()
        more = "..." if length(description) > 50 else ""
        task = {
            "id": task_id, "title": cut(description, 50) + more, "description": description,
            "repository": repository, "branch": branch, "status": "pending", "createdAt": now,
            "updatedAt": now, "url": url, "chatHistory": [], "sourceFiles": [],
        }  # fmt: skip
        self._data.save([*self._data.tasks(), task])


class _PageWork:
    """Turns what goes wrong on the page into the server's words: `Failed to <verb>: …`."""

    def __init__(
        self,
        operation: str,
        open_browser: Callable[[], None],
        wait: Callable[[float], Awaitable[None]],
    ) -> None:
        self._operation = operation
        self._open_browser = open_browser
        self._wait = wait

    async def __aenter__(self) -> None:
        self._open_browser()  # outside the part that says "Failed to"

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        del kind, trace
        if isinstance(error, ElementMissingError):
            await self._wait(LONGEST_SECONDS)
            raise ToolError(f"Failed to {self._operation}: {_time_out(error)}") from error
        if isinstance(error, ToolError | ValueError):
            raise ToolError(f"Failed to {self._operation}: {error}") from error


def _time_out(error: ElementMissingError) -> str:
    text = f"TimeoutError: {error.action}: Timeout 30000ms exceeded."
    if error.reached:
        return (
            f"{text}\n=========================== logs ===========================\n"
            f'waiting for navigation to "{error.selector}" until "load"\n'
            f'  navigated to "{error.reached}"\n'
            "============================================================"
        )
    if not error.selector:
        return text
    return f"{text}\nCall log:\n\x1b[2m  - waiting for locator('{error.selector}')\x1b[22m\n"


_FIRST_ARGUMENT = {
    "jules_create_task": "description", "jules_get_task": "taskId", "jules_send_message": "taskId",
    "jules_approve_plan": "taskId", "jules_resume_task": "taskId", "jules_analyze_code": "taskId",
    "jules_bulk_create_tasks": "tasks", "jules_list_tasks": "status",
}  # fmt: skip


def _without_arguments(name: str) -> str:
    if name == "jules_list_tasks":
        return "Cannot read properties of undefined (reading 'status')"
    return f"Cannot destructure property '{_FIRST_ARGUMENT[name]}' of 'args' as it is undefined."


def _task(arguments: Arguments) -> tuple[str, str]:
    """Return the id as the server takes it, and the address it opens."""
    given = arguments.get("taskId")
    if given is None:
        raise ToolError("Cannot read properties of undefined (reading 'includes')")
    if not isinstance(given, str):
        raise ToolError("taskIdOrUrl.includes is not a function")
    task_id = given
    if "jules.google.com/task/" in given:
        found = re.search(r"/task/([^/]+)", given)
        task_id = found[1] if found else given
    return task_id, given if "jules.google.com" in given else f"{WEB}/task/{task_id}"


def _listed(names: tuple[str, ...]) -> str:
    return "\n".join(f"  - {name}" for name in names)


def _js(value: Mapping[str, Any], name: str) -> str:
    return str(value[name]) if name in value else "undefined"

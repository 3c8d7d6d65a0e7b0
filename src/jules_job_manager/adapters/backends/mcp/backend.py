"""The Backend port on an MCP server that speaks google-jules-mcp's texts."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from jules_job_manager.adapters.backends.mcp import texts
from jules_job_manager.adapters.backends.mcp.environment import child_environment
from jules_job_manager.adapters.backends.mcp.errors import (
    SIGN_IN_HINT,
    error_from,
    needs_restart,
)
from jules_job_manager.adapters.backends.mcp.process import (
    CallTimedOutError,
    McpProcess,
    RefusedError,
    ServerGoneError,
)
from jules_job_manager.adapters.backends.mcp.statuses import status_from
from jules_job_manager.adapters.backends.mcp.stored import read_data_file, tasks_from
from jules_job_manager.adapters.resilience import Resilience
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import SourceFile
from jules_job_manager.domain.references import task_id_from
from jules_job_manager.domain.task import ChatMessage, JulesTask, NewTask, Source, TaskStatus
from jules_job_manager.errors import (
    AuthenticationError,
    InvalidInputError,
    OperationFailedError,
    TaskNotFoundError,
    UnclearOutcomeError,
    UnsupportedOperationError,
)
from jules_job_manager.ports.backend import Capability, OperationOutcome
from jules_job_manager.ports.clock import Clock

ACTIVE_TASKS = "jules://current/active-tasks"
ALL_TASKS = 1_000_000
"""The list keeps the oldest ones up to its limit, so a small limit would hide the new ones."""
BLANK_LOOKS_TO_DOUBT = 3
DATA_FILE_TRIES = 3
TITLE_UNITS = 50
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)
_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class McpBackend:
    """One account of Jules, over one MCP server process."""

    name = "mcp"
    capabilities: frozenset[Capability] = frozenset()

    def __init__(
        self,
        *,
        process: McpProcess,
        resilience: Resilience,
        clock: Clock,
        call_timeout_seconds: float,
        create_timeout_seconds: float,
        data_path: Path | None,
    ) -> None:
        """Use a supervised server; `data_path` is the server's data file, if we know it."""
        self._process = process
        self._resilience = resilience
        self._clock = clock
        self._call_timeout_seconds = call_timeout_seconds
        self._create_timeout_seconds = create_timeout_seconds
        self._data_path = data_path
        self._seen: dict[str, tuple[TaskStatus, str]] = {}
        self._blank_looks = 0

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        include_archived: bool = False,  # noqa: ARG002 (nothing is ever archived here)
        limit: int | None = None,
    ) -> Sequence[JulesTask]:
        """Return the tasks made through this server, newest first; it knows no others.

        The server never updates the status it lists; where this process has looked at a task,
        what it saw there is returned instead.
        """
        tasks = [self._with_seen_status(task) for task in await self._known_tasks()]
        tasks.reverse()  # they come oldest first, and those of one moment stay as they are
        tasks.sort(key=lambda task: task.created_at or _OLDEST, reverse=True)
        found = [task for task in tasks if status is None or task.status is status]
        return found[:limit]

    async def iter_tasks(self, *, include_archived: bool = False) -> AsyncIterator[JulesTask]:
        """Yield what `list_tasks` returns; the server has no pages."""
        for task in await self.list_tasks(include_archived=include_archived):
            yield task

    async def get_task(self, task_id: str) -> JulesTask:
        """Return one task: its status from the page, chat and files whole where they are stored.

        Raises:
            TaskNotFoundError: the page shows nothing, and the server never made such a task.
            AuthenticationError: the page showed nothing for known tasks several times running.
        """
        task_id = task_id_from(task_id)
        text = await self._call("jules_get_task", {"taskId": task_id}, "get task", safe=True)
        page = self._read(texts.read_task, text, "get task")
        stored = await self._stored_task(task_id)
        if page.is_blank:
            self._doubt(task_id, known=stored is not None)
        else:
            self._blank_looks = 0
        status = status_from(page.status)
        if status is not TaskStatus.UNKNOWN:
            self._seen[task_id] = (status, page.status)
        return _merged(task_id, page, stored, status)

    async def create_task(self, new: NewTask) -> JulesTask:
        """Create a task. It is sent once. `title`, plan approval and pull request are not choices here.

        The server clicks the first branch that the site offers, whatever branch is asked for.
        """
        if not new.repository:
            raise InvalidInputError(
                "Over MCP every task needs a repository.", hint="Name one as owner/name."
            )
        arguments = {
            "description": new.description,
            "repository": new.repository,
            "branch": new.branch,
        }
        text = await self._call("jules_create_task", arguments, "create task", safe=False)
        try:
            created = texts.read_created(text)
        except texts.UnreadableTextError as exc:
            raise UnclearOutcomeError(
                f"The MCP server's answer to the create cannot be read ({exc}); the task may exist.",
                hint="Look with `jjm list` before you try again.",
            ) from exc
        now = self._clock.now()
        return JulesTask(
            id=created.task_id,
            title=_title(new.description),
            description=new.description,
            repository=new.repository,
            branch=new.branch,
            status=TaskStatus.PENDING,
            raw_state="pending",
            created_at=now,
            updated_at=now,
            url=created.url,
        )

    async def send_message(self, task_id: str, text: str) -> None:
        """Type `text` into the task's page, once."""
        arguments = {"taskId": task_id_from(task_id), "message": text}
        answer = await self._call("jules_send_message", arguments, "send message", safe=False)
        self._read(texts.read_sent, answer, "send message")

    async def approve_plan(self, task_id: str) -> OperationOutcome:
        """Click the approval. NOT_NEEDED also when the page was slow to draw the button."""
        return await self._click(
            "jules_approve_plan", task_id, "approve the plan", texts.read_approved
        )

    async def resume_task(self, task_id: str) -> OperationOutcome:
        """Click resume. NOT_NEEDED also when the page was slow to draw the button."""
        return await self._click("jules_resume_task", task_id, "resume task", texts.read_resumed)

    async def list_activities(
        self, task_id: str, *, after: str | None = None
    ) -> Sequence[Activity]:
        """Raise UnsupportedOperationError: the page's activities are not told."""
        del task_id, after
        _unsupported("list activities")

    async def set_archived(self, task_id: str, archived: bool) -> None:
        """Raise UnsupportedOperationError."""
        del task_id, archived
        _unsupported("archive tasks")

    async def delete_task(self, task_id: str) -> None:
        """Raise UnsupportedOperationError."""
        del task_id
        _unsupported("delete tasks")

    async def list_sources(self) -> Sequence[Source]:
        """Raise UnsupportedOperationError."""
        _unsupported("list sources")

    async def session_info(self) -> dict[str, Any]:
        """Return what the server says of its own set-up (mode, headless, data path …)."""
        text = await self._call("jules_session_info", {}, "read session info", safe=True)
        return self._read(texts.read_session_info, text, "read session info")

    async def aclose(self) -> None:
        """Stop the server."""
        await self._process.aclose()

    async def _click(
        self, tool: str, task_id: str, operation: str, read: Callable[[str], OperationOutcome]
    ) -> OperationOutcome:
        arguments = {"taskId": task_id_from(task_id)}
        text = await self._call(tool, arguments, operation, safe=False)
        outcome = self._read(read, text, operation)
        if outcome is OperationOutcome.DONE:
            self._seen.pop(arguments["taskId"], None)
        return outcome

    async def _known_tasks(self) -> list[JulesTask]:
        """Return every task from the best source there is: data file, resource, list text."""
        filed = await self._filed_tasks()
        found = {task.id: task for task in (*await self._active_tasks(), *(filed or ()))}
        if not filed:
            for task in await self._listed_tasks():
                found.setdefault(task.id, task)
        return list(found.values())

    async def _stored_task(self, task_id: str) -> JulesTask | None:
        """Return the stored object of one task: from the file, else from the server."""
        for tasks in (await self._filed_tasks() or (), await self._active_tasks()):
            for task in tasks:
                if task.id == task_id:
                    return task
        return None

    async def _filed_tasks(self) -> tuple[JulesTask, ...] | None:
        """Return the tasks in the server's data file; None when it cannot be read."""
        if self._data_path is None:
            return None
        for number in range(DATA_FILE_TRIES):
            found = read_data_file(self._data_path)
            if found is not None:
                return found
            await self._clock.sleep(0.05 * 2**number)  # another server is writing it
        return None

    async def _active_tasks(self) -> tuple[JulesTask, ...]:
        try:
            result = await self._request(
                "resources/read", {"uri": ACTIVE_TASKS}, "list tasks", safe=True
            )
        except OperationFailedError as exc:
            _LOG.debug("the server has no resource of active tasks: %s", exc)
            return ()
        try:
            return tasks_from(json.loads(str(_members(result, "contents")[0]["text"])))
        except (ValueError, LookupError, RecursionError):
            return ()

    async def _listed_tasks(self) -> list[JulesTask]:
        arguments = {"status": "all", "limit": ALL_TASKS}
        text = await self._call("jules_list_tasks", arguments, "list tasks", safe=True)
        entries, _ = self._read(texts.read_list, text, "list tasks")
        return [_listed_task(entry) for entry in entries]

    def _with_seen_status(self, task: JulesTask) -> JulesTask:
        seen = self._seen.get(task.id)
        return task if seen is None else replace(task, status=seen[0], raw_state=seen[1])

    def _doubt(self, task_id: str, *, known: bool) -> None:
        """Judge a page that shows nothing. Source: facts, section 8, 7 and 14."""
        if not known:
            raise TaskNotFoundError(
                f"Jules' page shows nothing for task {task_id}, and the MCP server did not make it.",
                hint=f"Check the id. {SIGN_IN_HINT}",
                context={"task_id": task_id},
            )
        self._blank_looks += 1
        if self._blank_looks >= BLANK_LOOKS_TO_DOUBT:
            raise AuthenticationError(
                f"Jules' page showed nothing {self._blank_looks} times; probably nobody is signed in.",
                hint=SIGN_IN_HINT,
            )

    async def _call(
        self, tool: str, arguments: Mapping[str, Any], operation: str, *, safe: bool
    ) -> str:
        result = await self._request(
            "tools/call", {"name": tool, "arguments": dict(arguments)}, operation, safe=safe
        )
        return _first_text(result)

    async def _request(
        self, method: str, params: Mapping[str, Any], operation: str, *, safe: bool
    ) -> dict[str, Any]:
        creates = params.get("name") == "jules_create_task"
        seconds = self._create_timeout_seconds if creates else self._call_timeout_seconds

        async def once() -> dict[str, Any]:
            try:
                result = await self._process.request(method, params, timeout_seconds=seconds)
                if result.get("isError"):
                    raise RefusedError(0, _first_text(result))
            except (CallTimedOutError, ServerGoneError, RefusedError) as exc:
                if needs_restart(exc):
                    self._process.restart_before_next_call()
                raise error_from(exc, operation, repeatable=safe) from exc
            return result

        return await self._resilience.call(operation, once, safe=safe)

    def _read(self, read: Callable[[str], T], text: str, operation: str) -> T:
        try:
            return read(text)
        except texts.UnreadableTextError as exc:
            raise OperationFailedError(
                f"The MCP server's answer to {operation} cannot be read ({exc}).",
                hint="Is it google-jules-mcp, or a server that gives the same texts?",
                context={"operation": operation},
            ) from exc


def open_mcp_backend(
    *,
    command: Sequence[str],
    environment: Mapping[str, str],
    call_timeout_seconds: float,
    create_timeout_seconds: float,
    start_timeout_seconds: float,
    stderr_log: Path | None,
    clock: Clock,
    max_tries: int = 2,
) -> McpBackend:
    """Return a backend for one server command; the server starts with the first call.

    Args:
        command: Argument list, for example `["node", ".../dist/index.js"]`.
        environment: Variables passed on to the server; JULES_DATA_PATH among them lets whole
            chats and files be read from the server's own file.
        call_timeout_seconds: Longest wait for one call.
        create_timeout_seconds: Longest wait for a create.
        start_timeout_seconds: Longest wait for the handshake.
        stderr_log: File for the server's stderr, or None.
        clock: For times and waits.
        max_tries: Tries of one safe read, >= 1; each can take the whole wait.
    """
    data_path = environment.get("JULES_DATA_PATH", "")
    process = McpProcess(
        command=command,
        environment=child_environment(os.environ, environment),
        start_timeout_seconds=start_timeout_seconds,
        stderr_log=stderr_log,
        clock=clock,
    )
    return McpBackend(
        process=process,
        resilience=Resilience(clock=clock, max_tries=max_tries),
        clock=clock,
        call_timeout_seconds=call_timeout_seconds,
        create_timeout_seconds=create_timeout_seconds,
        data_path=Path(data_path).expanduser() if data_path else None,
    )


def _merged(
    task_id: str, page: texts.TaskText, stored: JulesTask | None, status: TaskStatus
) -> JulesTask:
    """Join the page's status with the stored object, whose chat and files are whole."""
    base = stored or JulesTask(id=task_id)
    chat, files = base.chat_history, base.source_files
    if len(chat) < page.message_count:
        chat = tuple(ChatMessage(content=content) for content in page.messages)
    if len(files) < len(page.files):
        files = tuple(SourceFile(filename=name, status="unknown") for name in page.files)
    return replace(
        base,
        status=status,
        raw_state=page.status,
        url=page.url or base.url,
        chat_history=chat,
        source_files=files,
    )


def _listed_task(entry: texts.ListedText) -> JulesTask:
    return JulesTask(
        id=entry.task_id,
        title=entry.title,
        repository=entry.repository,
        status=status_from(entry.status),
        raw_state=entry.status,
        created_at=entry.created_on,
        url=entry.url,
    )


def _title(description: str) -> str:
    """Return the title the server makes: the first 50 UTF-16 units, and `...` when there is more."""
    units = description.encode("utf-16-le", errors="surrogatepass")
    more = "..." if len(units) > TITLE_UNITS * 2 else ""
    return units[: TITLE_UNITS * 2].decode("utf-16-le", errors="replace") + more


def _members(result: Mapping[str, Any], name: str) -> list[Any]:
    value = result.get(name)
    return value if isinstance(value, list) else []


def _first_text(result: Mapping[str, Any]) -> str:
    for block in _members(result, "content"):
        if isinstance(block, Mapping) and isinstance(block.get("text"), str):
            return str(block["text"])
    return ""


def _unsupported(what: str) -> NoReturn:
    raise UnsupportedOperationError(
        f"The MCP server cannot {what}.", hint="The rest and simulator backends can."
    )

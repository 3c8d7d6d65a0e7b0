"""The server's stored objects: from its resource `jules://current/active-tasks` or its data file.

Machine-readable, whole and without locale dates. What they cannot tell: `status` is written once
and stays `pending`; a message's `type` is always `system` and its `timestamp` the time of
reading, so both times and types of messages are left out here.
Source: google-jules-mcp facts, section 7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.backends.mcp.statuses import status_from
from jules_job_manager.adapters.backends.mcp.texts import UnreadableTextError, clean_task_id
from jules_job_manager.domain.artifact import SourceFile
from jules_job_manager.domain.clockwork import from_rfc3339
from jules_job_manager.domain.task import ChatMessage, JulesTask

_KNOWN = {
    "id", "title", "description", "repository", "branch", "status", "createdAt", "updatedAt",
    "url", "chatHistory", "sourceFiles",
}  # fmt: skip


def read_data_file(path: Path) -> tuple[JulesTask, ...] | None:
    """Return the tasks in the server's data file; empty when there is none, None when half-written.

    The server overwrites it in place, without lock or rename.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError):
        return None
    tasks = value.get("tasks") if isinstance(value, Mapping) else None
    return tasks_from(tasks) if isinstance(tasks, Sequence) else None


def tasks_from(wire: object) -> tuple[JulesTask, ...]:
    """Return tasks from a list of stored objects; what is no task is left out."""
    if not isinstance(wire, Sequence) or isinstance(wire, str | bytes):
        return ()
    found = (task_from(member) for member in wire if isinstance(member, Mapping))
    return tuple(task for task in found if task is not None)


def task_from(wire: Mapping[str, Any]) -> JulesTask | None:
    """Return the task of one stored object, or None when it has no id."""
    try:
        task_id = clean_task_id(_text(wire.get("id")))
    except UnreadableTextError:
        return None
    raw_state = _text(wire.get("status")).strip()
    return JulesTask(
        id=task_id,
        title=_text(wire.get("title")),
        description=_text(wire.get("description")),
        repository=_text(wire.get("repository")),
        branch=_text(wire.get("branch")),
        status=status_from(raw_state),
        created_at=_time(wire.get("createdAt")),
        updated_at=_time(wire.get("updatedAt")),
        url=_text(wire.get("url")),
        chat_history=tuple(
            ChatMessage(content=_text(message.get("content")))
            for message in _members(wire.get("chatHistory"))
        ),
        source_files=tuple(
            SourceFile(
                filename=_text(file.get("filename")),
                url=_text(file.get("url")),
                status=_text(file.get("status")) or "unknown",
            )
            for file in _members(wire.get("sourceFiles"))
        ),
        raw_state=raw_state,
        metadata={key: value for key, value in wire.items() if key not in _KNOWN},
    )


def _members(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        return []
    return [member for member in value if isinstance(member, Mapping)]


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    # Half a surrogate pair can stand in the file; no store and no terminal takes it.
    return text.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace")


def _time(value: object) -> datetime | None:
    with suppress(ValueError):
        return from_rfc3339(value) if isinstance(value, str) and value else None
    return None

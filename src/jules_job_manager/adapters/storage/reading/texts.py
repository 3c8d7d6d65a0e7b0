"""The JSON text of a task, made of a row in which its parts stand as JSON text already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from jules_job_manager.domain.clockwork import to_rfc3339

COLUMNS = (
    "id", "title", "description", "repository", "branch", "status", "created_at", "updated_at", "url",
    "plan", "outputs", "raw_state", "working_branch", "require_plan_approval", "archived", "backend",
    "seen_at", "metadata",
)  # fmt: skip
"""What `task_text` needs of a row, in this order."""
STANDING_COLUMNS = ("status", "raw_state", "updated_at", "seen_at")


def task_text(row: Sequence[Any], chat: str | None = None, files: str | None = None) -> str:
    """Return what `json.dumps` makes of `JulesTask.to_dict`, with the separators `,` and `:`.

    Args:
        row: The values of `COLUMNS`, as they are stored.
        chat: The messages' JSON texts with commas between; None or empty: there are none.
        files: The same of the files.
    """
    (
        key, title, description, repository, branch, status, created, updated, url, plan, outputs, raw,
        working, approval, archived, backend, seen, metadata,
    ) = row  # fmt: skip
    return (
        f'{{"id":{quoted(key)},"title":{title},"description":{description},'
        f'"repository":{quoted(repository)},"branch":{quoted(branch)},"status":{quoted(status)},'
        f'"created_at":{_moment(created)},"updated_at":{_moment(updated)},"url":{quoted(url)},'
        f'"chat_history":[{chat or ""}],"source_files":[{files or ""}],'
        f'"plan":{"null" if plan is None else plan},"outputs":{outputs},"raw_state":{quoted(raw)},'
        f'"working_branch":{quoted(working)},"require_plan_approval":{_truth(approval)},'
        f'"archived":{_truth(archived)},"backend":{quoted(backend)},"seen_at":{_moment(seen)},'
        f'"metadata":{metadata}}}'
    )


def moment_text(value: Any) -> str | None:
    """Return a stored time as RFC 3339: SQLite keeps that text, PostgreSQL a time."""
    return value if value is None or isinstance(value, str) else to_rfc3339(value)


def content_of(message: str | None) -> str:
    """Return what the JSON text of a message says; nothing of none."""
    return "" if message is None else str(json.loads(message)["content"])


def _moment(value: Any) -> str:
    return "null" if value is None else f'"{moment_text(value)}"'


def _truth(value: int | None) -> str:
    return "null" if value is None else "true" if value else "false"

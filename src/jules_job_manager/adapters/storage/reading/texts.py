"""The JSON text of a task, made of a row in which its parts stand as JSON text already."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from jules_job_manager.domain.json_text import finite

COLUMNS = (
    "id", "title", "description", "repository", "branch", "status", "created_at", "updated_at", "url",
    "plan", "outputs", "raw_state", "working_branch", "require_plan_approval", "archived", "backend",
    "seen_at", "metadata",
)  # fmt: skip
"""What `task_text` needs of a row, in this order."""
STANDING_COLUMNS = ("status", "raw_state", "updated_at", "seen_at")


def listed_text(row: Sequence[Any]) -> str:
    """Return the text of a task in a list: without chat and files, and with null for what JSON has not."""
    return task_text(row, number=finite)


def task_text(
    row: Sequence[Any], chat: str | None = None, files: str | None = None, *,
    number: Callable[[str], str] = str,
) -> str:  # fmt: skip
    """Return what `json.dumps` makes of `JulesTask.to_dict`, with the separators `,` and `:`.

    Args:
        row: The values of `COLUMNS`, as they are stored; times in RFC 3339.
        chat: The messages' JSON texts with commas between; None or empty: there are none.
        files: The same of the files.
        number: Given each part that may hold a number, returns what stands for it.
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
        f'"plan":{"null" if plan is None else number(plan)},"outputs":{number(outputs)},'
        f'"raw_state":{quoted(raw)},"working_branch":{quoted(working)},"require_plan_approval":{_truth(approval)},'
        f'"archived":{_truth(archived)},"backend":{quoted(backend)},"seen_at":{_moment(seen)},'
        f'"metadata":{number(metadata)}}}'
    )


def content_of(message: str | None) -> str:
    """Return what the JSON text of a message says; nothing of none."""
    return "" if message is None else str(json.loads(message)["content"])


def _moment(value: str | None) -> str:
    return "null" if value is None else f'"{value}"'


def _truth(value: int | None) -> str:
    return "null" if value is None else "true" if value else "false"

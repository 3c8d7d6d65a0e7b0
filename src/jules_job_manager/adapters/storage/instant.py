"""Reading a SQLite store at once: plain SQL over the standard library, for commands that must be instant.

It only reads, and returns the JSON values that `to_dict` of the domain yields. The contract suite
holds it equal to the store. It imports nothing that costs: no SQLAlchemy, no asyncio, no
dataclass.
"""

from __future__ import annotations

import json
import os
import sqlite3

from jules_job_manager.adapters.storage.revision import HEAD
from jules_job_manager.domain.text import after_prefix, storable_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

BUSY_SECONDS = 5.0
JOB_FIELDS = (
    "key", "title", "priority", "status", "reason", "depends_on", "branch", "files", "checklist",
    "checks", "estimate", "prompt", "task_id", "notes", "backlog", "position", "repository", "base_branch",
    "merge_commit", "started_at", "finished_at", "queued_at", "held", "skipped", "pinned",
    "placed_rank", "place", "shares_files", "not_before", "schedule", "occurrence", "best_of",
)  # fmt: skip
TASK_FIELDS = (
    "id", "title", "description", "repository", "branch", "status", "created_at", "updated_at", "url",
    "plan", "outputs", "raw_state", "working_branch", "require_plan_approval", "archived", "backend",
    "seen_at", "metadata",
)  # fmt: skip
JSON_COLUMNS = frozenset(
    {"title", "prompt", "reason", "depends_on", "files", "checklist", "checks", "estimate", "notes",
     "description", "plan", "outputs", "metadata"}
)  # fmt: skip
"""Columns that hold JSON text; `branch` is one in jobs alone."""
_TRUTHS = frozenset({"archived", "require_plan_approval", "skipped", "pinned", "shares_files"})
_ORDER = "ORDER BY backlog, position, key"
_STARTABLE = """
    SELECT key FROM jobs AS job
    WHERE status IN ('ready', 'blocked') AND prompt <> '""'
      AND (depends_on = '[]' OR NOT EXISTS (
          SELECT 1 FROM json_each(job.depends_on) AS needed
          WHERE NOT EXISTS (
              SELECT 1 FROM jobs AS other WHERE other.key = needed.value AND (other.status = 'done' OR other.skipped))))
    ORDER BY CASE priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END,
             backlog, position, key
    LIMIT ?
"""


class InstantStore:
    """A SQLite store, open for reading. Any failure is a `sqlite3.Error`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use an open connection; see `open_instant`."""
        self._connection = connection

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that only reads, all at once."""
        return self._connection.execute(sql, values).fetchall()

    def note(self, name: str) -> str | None:
        """Return a small named text, or None."""
        value = self._one("SELECT value FROM notes WHERE name = ?", storable_text(name))
        return None if value is None else str(value)

    def lease(self, name: str) -> tuple[str, str] | None:
        """Return who has a lease and until when, expired or not; None when nobody has it."""
        sql = "SELECT owner, until FROM leases WHERE name = ? AND owner <> ''"
        return next(iter(self.rows(sql, (storable_text(name),))), None)

    def jobs(
        self, fields: Sequence[str], *, status: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return these fields of jobs, by backlog and position; at most `limit`, None for all."""
        where, values = _filters({"status": status})
        size = -1 if limit is None else limit
        sql = f"SELECT {', '.join(fields)} FROM jobs {where} {_ORDER} LIMIT ?"  # noqa: S608 - names are ours
        return list(self._rows(sql, (*values, size), fields, JSON_COLUMNS | {"branch"}))

    def count_jobs(self, status: str | None = None) -> int:
        """Return how many jobs there are (of this status)."""
        where, values = _filters({"status": status})
        return int(self._one(f"SELECT count(*) FROM jobs {where}", *values))  # noqa: S608 - ours

    def job_keys(self, statuses: Sequence[str] | None = None) -> list[str]:
        """Return keys (of jobs with one of these statuses), by backlog and position."""
        marks = "" if statuses is None else f"WHERE status IN ({', '.join('?' * len(statuses))})"
        sql = f"SELECT key FROM jobs {marks} {_ORDER}"  # noqa: S608 - only question marks are put in
        return [row[0] for row in self._connection.execute(sql, tuple(statuses or ()))]

    def job(self, key: str, fields: Sequence[str]) -> dict[str, Any] | None:
        """Return these fields of the job with exactly this key, or None."""
        sql = f"SELECT {', '.join(fields)} FROM jobs WHERE key = ?"  # noqa: S608 - names are ours
        values = (storable_text(key),)
        return next(self._rows(sql, values, fields, JSON_COLUMNS | {"branch"}), None)

    def job_counts(self) -> dict[str, int]:
        """Return how many jobs have each status that occurs."""
        return dict(self._connection.execute("SELECT status, count(*) FROM jobs GROUP BY status"))

    def startable_keys(self, limit: int | None = None) -> list[str]:
        """Return the jobs that could start now, as `domain.graph.ready_keys` orders them.

        At most `limit`; None for all, which takes twice as long.
        """
        found = self._connection.execute(_STARTABLE, (-1 if limit is None else limit,))
        return [row[0] for row in found]

    def tasks(
        self,
        fields: Sequence[str],
        *,
        status: str | None = None,
        repository: str | None = None,
        backend: str | None = None,
        include_archived: bool = False,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Return these fields of tasks, newest change first."""
        where, values = _filters(
            {
                "backend": backend,
                "status": status,
                "repository": repository,
                "archived": None if include_archived else 0,
            }
        )
        sql = (
            f"SELECT {', '.join(fields)} FROM tasks {where} "  # noqa: S608 - names are ours
            "ORDER BY sort_at DESC, id DESC LIMIT ?"
        )
        return list(self._rows(sql, (*values, limit), fields, JSON_COLUMNS))

    def find_task_ids(self, prefix: str, *, limit: int = 10) -> list[str]:
        """Return ids that start with `prefix`, at most `limit`, in text order."""
        wanted = storable_text(prefix)
        end = after_prefix(wanted)
        # Without an end all that follows would be looked at. A BLOB comes after every text.
        values = (wanted, b"" if end is None else end, limit)
        sql = "SELECT id FROM tasks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        return [row[0] for row in self._connection.execute(sql, values)]

    def task(self, task_id: str) -> dict[str, Any] | None:
        """Return the whole task as `JulesTask.to_dict` does, or None."""
        sql = f"SELECT {', '.join(TASK_FIELDS)} FROM tasks WHERE id = ?"  # noqa: S608 - names are ours
        key = storable_text(task_id)
        found = next(self._rows(sql, (key,), TASK_FIELDS, JSON_COLUMNS), None)
        if found is not None:
            found["chat_history"] = self._parts("chat_messages", "message", key)
            found["source_files"] = self._parts("source_files", "file", key)
        return found

    def _parts(self, table: str, column: str, task_id: str) -> list[Any]:
        sql = f"SELECT {column} FROM {table} WHERE task_id = ? ORDER BY position"  # noqa: S608 - ours
        return [json.loads(row[0]) for row in self._connection.execute(sql, (task_id,))]

    def _one(self, sql: str, *values: object) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _rows(
        self, sql: str, values: tuple[object, ...], fields: Sequence[str], encoded: frozenset[str]
    ) -> Iterator[dict[str, Any]]:
        readers = [
            _from_json if name in encoded else _truth if name in _TRUTHS else None
            for name in fields
        ]
        for row in self._connection.execute(sql, values):
            yield {
                name: value if read is None else read(value)
                for name, value, read in zip(fields, row, readers, strict=True)
            }


def open_instant(path: str) -> InstantStore | None:
    """Open the SQLite file for reading, or return None when it is not one of the newest schema.

    None means: open the store in the ordinary way, which makes, upgrades or reports.
    """
    if not os.path.exists(path):  # noqa: PTH110 - pathlib costs start-up time here
        return None
    try:
        return _open(path, "mode=ro")
    except sqlite3.OperationalError:
        # A full disk or a folder that cannot be written has no room for the files that WAL mode
        # puts beside a store. Where nobody else has it open they are not needed.
        return None if _is_open_elsewhere(path) else _open_unchanging(path)
    except sqlite3.Error:
        return None


def open_following(path: str, busy_seconds: float = BUSY_SECONDS) -> InstantStore | None:
    """Open the SQLite file for reading for long, while others write to it.

    None: it is not one of the newest schema. A lock is waited for `busy_seconds` at most.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    return _open(path, "mode=ro", busy_seconds)


def _open_unchanging(path: str) -> InstantStore | None:
    try:
        return _open(path, "mode=ro&immutable=1")
    except sqlite3.Error:
        return None


def _open(path: str, how: str, busy_seconds: float = BUSY_SECONDS) -> InstantStore | None:
    connection = sqlite3.connect(f"file:{_quoted(path)}?{how}", uri=True, timeout=busy_seconds)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if row == (HEAD,):
            return InstantStore(connection)
    except sqlite3.Error:
        connection.close()
        raise
    connection.close()
    return None


def _is_open_elsewhere(path: str) -> bool:
    try:
        return os.stat(f"{path}-wal").st_size > 0  # noqa: PTH116
    except OSError:
        return False


def _quoted(path: str) -> str:
    # Source: sqlite.org/uri.html; urllib.parse.quote would cost more than the query.
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return "//" + escaped if escaped.startswith("/") else escaped


def _filters(wanted: dict[str, object]) -> tuple[str, tuple[object, ...]]:
    given = {name: value for name, value in wanted.items() if value is not None}
    if not given:
        return "", ()
    values = (storable_text(v) if isinstance(v, str) else v for v in given.values())
    return "WHERE " + " AND ".join(f"{name} = ?" for name in given), tuple(values)


def _from_json(text: str | None) -> Any:
    if text is None:
        return None
    if text[0] == '"' and "\\" not in text:
        return text[1:-1]
    return json.loads(text)


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)

"""The world on disk: sessions, activities and counters in one SQLite file.

Several processes may share it: every request is one immediate transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.private_paths import make_private_file, narrow

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, next_at REAL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS due ON sessions (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS activities (
    number INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS of_session ON activities (session_id, number);
"""


class WorldState:
    """Reads and writes the world. Use it inside `transaction()`."""

    def __init__(self, path: Path | None) -> None:
        """Open the file (None: memory only), making it and its folder when missing."""
        if path is not None:
            make_private_file(path)
            for beside in ("-wal", "-shm"):
                narrow(path.with_name(f"{path.name}{beside}"))
        self._db = sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=150,  # longer than git may take while another process holds the world
            isolation_level=None,
            check_same_thread=False,
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One atomic step of the world."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, name: str, default: Any = None) -> Any:
        """Return a named value."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, name: str, value: Any) -> None:
        """Keep a named value (JSON)."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def count(self, name: str, by: int = 1) -> int:
        """Add to a counter and return its new value."""
        total = int(self.get(name, 0)) + by
        self.put(name, total)
        return total

    def counters(self, prefix: str) -> dict[str, int]:
        """Return the counters whose names begin with `prefix`, without it."""
        rows = self._db.execute(
            "SELECT name, value FROM meta WHERE substr(name, 1, ?) = ?", (len(prefix), prefix)
        )
        return {name[len(prefix) :]: int(json.loads(value)) for name, value in rows}

    def add_session(self, doc: dict[str, Any]) -> None:
        """Add a session."""
        self._db.execute(
            "INSERT INTO sessions (id, next_at, doc) VALUES (?, ?, ?)",
            (doc["id"], _next(doc), json.dumps(doc)),
        )

    def save_session(self, doc: dict[str, Any]) -> None:
        """Replace a session."""
        self._db.execute(
            "UPDATE sessions SET next_at = ?, doc = ? WHERE id = ?",
            (_next(doc), json.dumps(doc), doc["id"]),
        )

    def session(self, session_id: str) -> dict[str, Any] | None:
        """Return a session, or None."""
        row = self._db.execute("SELECT doc FROM sessions WHERE id = ?", (session_id,)).fetchone()
        return None if row is None else json.loads(row[0])

    def sessions(self) -> list[dict[str, Any]]:
        """Return every session, newest first."""
        rows = self._db.execute("SELECT doc FROM sessions ORDER BY number DESC")
        return [json.loads(row[0]) for row in rows]

    def delete_session(self, session_id: str) -> None:
        """Remove a session and its activities."""
        self._db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
        self._db.execute("DELETE FROM activities WHERE session_id = ?", (session_id,))

    def next_due(self, now: float) -> dict[str, Any] | None:
        """Return the session whose next event is the earliest at or before `now`, or None."""
        row = self._db.execute(
            "SELECT doc FROM sessions WHERE next_at <= ? ORDER BY next_at, number LIMIT 1", (now,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def add_activity(self, session_id: str, doc: dict[str, Any]) -> None:
        """Append an activity."""
        self._db.execute(
            "INSERT INTO activities (session_id, id, doc) VALUES (?, ?, ?)",
            (session_id, doc["id"], json.dumps(doc)),
        )

    def activities(self, session_id: str) -> list[dict[str, Any]]:
        """Return the session's activities, oldest first."""
        rows = self._db.execute(
            "SELECT doc FROM activities WHERE session_id = ? ORDER BY number", (session_id,)
        )
        return [json.loads(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _next(doc: dict[str, Any]) -> float | None:
    return doc["timeline"][0][0] if doc["timeline"] else None

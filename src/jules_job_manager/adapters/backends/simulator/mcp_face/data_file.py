"""The server's data file: one JSON object, overwritten in place without lock or rename.

That is how the real one does it; two servers on one path lose updates.
Source: google-jules-mcp facts, section 7.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.backends.simulator.mcp_face.javascript import stringify

Task = dict[str, Any]


class DataFile:
    """Reads and writes `{"tasks": [...]}`."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made with the first task."""
        self.path = path

    def tasks(self) -> list[Task]:
        """Return the stored tasks, oldest first.

        Raises:
            ValueError: it is no JSON, or holds no list of tasks.
        """
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except json.JSONDecodeError as exc:
            raise ValueError(
                f"Expected property name or '}}' in JSON at position {exc.pos}"
            ) from exc
        tasks = data.get("tasks") if isinstance(data, dict) else None
        if not isinstance(tasks, list):
            raise ValueError("Cannot read properties of undefined (reading 'slice')")
        return tasks

    def save(self, tasks: list[Task]) -> None:
        """Overwrite the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(stringify({"tasks": tasks}, indent=2), encoding="utf-8")

"""Keeps what the server writes to stderr: bounded, without terminal codes, without secrets."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from jules_job_manager.adapters.log_files import PrivateFileHandler
from jules_job_manager.domain.masking import masked

MOST_BYTES = 1_000_000
KEPT_FILES = 3
LONGEST_LINE = 4_000
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def without_ansi(text: str) -> str:
    """Return `text` without terminal escape sequences.

    Source: google-jules-mcp facts, section 6: Playwright's messages carry colour codes.
    """
    return _ANSI.sub("", text)


class StderrLog:
    """Takes bytes as they come and keeps lines: the last few here, all in a rotated file."""

    def __init__(self, path: Path | None, *, secrets: Sequence[str] = ()) -> None:
        """Write to `path` (None: nowhere); texts in `secrets` are masked."""
        self._path = path
        self._secrets = tuple(secrets)
        self._rest = b""
        self._handler: RotatingFileHandler | None = None
        self.tail: deque[str] = deque(maxlen=20)

    def feed(self, data: bytes) -> None:
        """Take the next bytes. A line longer than 4,000 characters is cut."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._keep(line)
        if len(self._rest) > LONGEST_LINE * 4:
            self._keep(self._rest)
            self._rest = b""

    def close(self) -> None:
        """Write what is left and close the file. Safe to call twice."""
        if self._rest:
            self._keep(self._rest)
            self._rest = b""
        if self._handler is not None:
            self._handler.close()
            self._handler = None

    def _keep(self, raw: bytes) -> None:
        line = without_ansi(raw.decode("utf-8", errors="replace")).strip("\r")[:LONGEST_LINE]
        line = masked(line, self._secrets)
        self.tail.append(line)
        if self._path is None:
            return
        try:
            if self._handler is None:
                self._handler = _open(self._path)
            self._handler.emit(logging.makeLogRecord({"msg": line}))
        except OSError:
            # A full disk or a read-only folder must not stop the work; the tail stays.
            self._path = None


class _Handler(PrivateFileHandler, RotatingFileHandler):
    """Bounded, for this user alone, and loud when it fails."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 (the base class's name)
        """Hand the failure on: the base class would print a traceback."""
        raise  # noqa: PLE0704 (called from the base class's except block)


def _open(path: Path) -> RotatingFileHandler:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _Handler(path, maxBytes=MOST_BYTES, backupCount=KEPT_FILES, encoding="utf-8")

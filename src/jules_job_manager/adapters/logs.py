"""The log file: what the standard library's loggers write, formatted by structlog.

Human-readable lines or JSON, a new file each midnight UTC, secrets masked.
"""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from jules_job_manager.adapters.log_files import PrivateFileHandler
from jules_job_manager.domain.masking import KnownSecrets
from jules_job_manager.domain.text import safe_text

ROOT = "jules_job_manager"


def configure_logging(
    *, path: Path, level: str, form: str, retention_days: int, secrets: Sequence[str] | KnownSecrets
) -> logging.Handler:
    """Send this package's log to `path`; return the handler, for `stop_logging`.

    Args:
        path: The file; it and its folder are made readable by the user alone.
        level: `debug`, `info`, `warning` or `error`.
        form: `human` or `json`.
        retention_days: How many earlier days are kept, >= 1.
        secrets: Texts that must never be written; more of them may become known later.

    Raises:
        OSError: the file cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = _DailyFile(
        path, when="midnight", utc=True, backupCount=retention_days, encoding="utf-8"
    )
    renderer: Any = structlog.processors.JSONRenderer()
    if form == "human":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Cleaner(secrets),
                renderer,
            ],
        )
    )
    logger = logging.getLogger(ROOT)
    logger.setLevel(level.upper())
    logger.propagate = False
    logger.addHandler(handler)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Detach and close a handler."""
    logging.getLogger(ROOT).removeHandler(handler)
    handler.close()


class _DailyFile(PrivateFileHandler, logging.handlers.TimedRotatingFileHandler):
    """A new file each midnight, each readable by its owner alone."""


class _Cleaner:
    """Takes secrets and everything a terminal would act on out of an event."""

    def __init__(self, secrets: Sequence[str] | KnownSecrets) -> None:
        known = secrets if isinstance(secrets, KnownSecrets) else KnownSecrets(secrets)
        self._masked = known.masked

    def __call__(
        self, logger: Any, name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        del logger, name
        return {key: self._clean(key, value) for key, value in event.items()}

    def _clean(self, key: str, value: Any) -> Any:
        if isinstance(value, int | float | bool) or value is None:
            return value
        text = self._masked(value if isinstance(value, str) else str(value))
        if (
            key == "exception"
        ):  # a traceback: indented, so that no line of it passes for one of ours
            return safe_text(text, multiline=True).replace("\n", "\n    ")
        return safe_text(text)
